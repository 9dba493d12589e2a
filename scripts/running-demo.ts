/** The demo as whoever types `npm run demo` has it: a process of its own, in a fresh folder, on free ports. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './source/repository.ts'

export interface RunningDemo {
  /** Base URL of the pages. */
  readonly url: string
  /** Everything that it has said by now. */
  readonly said: () => string
  /** Waits until it says something that matches. @throws Error with all that it said, when it ends before */
  hears(words: RegExp): Promise<string>
  /** @param email as printed, e.g. `nurse@clinic.example` */
  password(email: string): string
  /** Ctrl-C; resolves with the exit code when it has ended. */
  stop(): Promise<number | null>
}

/** @param env over the demo's own: ports, log level */
export async function startDemo(env: Readonly<Record<string, string>> = {}): Promise<RunningDemo> {
  const folder = mkdtempSync(join(tmpdir(), 'careloop-demo-'))
  const data = join(folder, 'data')
  const anyPort = { CARELOOP_HTTP_PORT: '0', CARELOOP_MQTT_PORT: '0', CARELOOP_MQTTS_PORT: '0' }
  // The disk's floor is for servers: a machine that runs tests may have less.
  const small = { CARELOOP_DISK_FLOOR_BYTES: '0', CARELOOP_BALLAST_BYTES: '0' }
  const child = spawn(process.execPath, ['packages/simulator/src/demo.ts'], {
    cwd: ROOT,
    env: { ...process.env, ...anyPort, ...small, CARELOOP_DATA: data, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const listeners = new Set<() => void>()
  const hear = (text: Buffer) => {
    said += text
    for (const each of listeners) each()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const hears = (words: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = words.exec(said)
        if (found) resolve(found[1] ?? found[0])
      }
      listeners.add(look)
      void ended.then((code) => reject(new Error(`the demo ended (${code}) before it said ${words}:\n${said}`)))
      look()
    })
  const stop = async () => {
    child.kill('SIGINT')
    const code = await ended
    rmSync(folder, { recursive: true, force: true })
    return code
  }
  const url = await hears(/Pages +(http:\S+)/)
  const password = (email: string): string => {
    const { passwords } = JSON.parse(readFileSync(join(data, 'demo.json'), 'utf8')) as {
      passwords: Record<string, string>
    }
    return passwords[email] ?? ''
  }
  return { url, said: () => said, hears, password, stop }
}
