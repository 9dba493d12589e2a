/** How every bench reports: what it ran on, a table for people, and with --json one last line for machines. */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly os: string
  readonly node: string
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    os: `${process.platform} ${release()}`,
    node: process.version,
  }
}

/** @param metrics numbers by name, grouped as the issue names them */
export function report(bench: string, rows: readonly Record<string, string | number>[], metrics: unknown): void {
  const on = machine()
  console.log(`\n${bench} on ${on.cpu}, ${on.cores} cores, ${on.memoryGiB} GiB, ${on.os}, Node ${on.node}`)
  console.table(rows)
  if (process.argv.includes('--json')) console.log(JSON.stringify({ bench, machine: on, metrics }))
}

/** Value of `--name VALUE` or `--name=VALUE`. */
export function option(name: string, otherwise: number): number {
  const at = process.argv.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`))
  if (at < 0) return otherwise
  const word = process.argv[at]!
  const value = Number(word.includes('=') ? word.split('=')[1] : process.argv[at + 1])
  if (!Number.isFinite(value)) throw new Error(`--${name} wants a number`)
  return value
}

export const has = (name: string): boolean => process.argv.includes(`--${name}`)

/** Sorted quantile, 0..1. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!
}

/** CPU seconds (user and system) that a process and its reaped children have used. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // utime stime cutime cstime are fields 14-17 of proc(5); ours begin at field 3. Ticks are 1/100 s on Linux.
    return [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0) / 100
  } catch {
    return 0
  }
}

/** The process and all that live below it. */
export function processTree(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return [pid, ...(children ? children.split(' ').flatMap((child) => processTree(Number(child))) : [])]
  } catch {
    return [pid]
  }
}

/** Value of `--name WORD` or `--name=WORD`, if it was given. */
export function word(name: string): string | undefined {
  const at = process.argv.findIndex((each) => each === `--${name}` || each.startsWith(`--${name}=`))
  if (at < 0) return undefined
  const found = process.argv[at]!
  return found.includes('=') ? found.slice(found.indexOf('=') + 1) : process.argv[at + 1]
}
