import { spawnSync } from 'node:child_process'
import { ROOT } from './repository.ts'

/** Runs npm in the repository: the one that runs us, if one does. Its answer is what stands on stdout, whatever its exit code. */
export function npm(args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const own = process.env.npm_execpath
  const [command, first] = own?.endsWith('.js') ? [process.execPath, [own]] : ['npm', []]
  const isWindows = process.platform === 'win32' && command === 'npm'
  const { status, stdout } = spawnSync(command, [...first, ...args], {
    ...{ cwd: ROOT, encoding: 'utf8', shell: isWindows, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 },
  })
  return { status, stdout: stdout ?? '' }
}
