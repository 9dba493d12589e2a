/** Programs that tests drive as users do: a browser, and the MQTT clients people have. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

interface Tool {
  /** What it is called when it is there. */
  readonly names: readonly string[]
  /** Variable that may name another one. */
  readonly variable?: string
  readonly debian: string
}

const TOOLS: readonly Tool[] = [
  { names: ['chromium'], variable: 'CARELOOP_CHROMIUM', debian: 'chromium' },
  { names: ['mosquitto_pub', 'mosquitto_sub'], debian: 'mosquitto-clients' },
]

/**
 * Installs by apt-get what is missing, where that is allowed: as root, on a system that has it.
 * @returns what to install by hand before the tests can run; empty when all is there
 */
export function ensureTools(say: (line: string) => void): readonly string[] {
  const missing = () => TOOLS.filter((tool) => !isThere(tool)).map(({ debian }) => debian)
  const wanted = missing()
  if (wanted.length === 0) return []
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) return wanted
  say(`Installing ${wanted.join(' ')} by apt-get: the tests drive them.`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...wanted]]) {
    const { status, stdout, stderr } = spawnSync('apt-get', ['-q', ...args], {
      encoding: 'utf8',
      env,
      timeout: 8 * 60_000,
    })
    if (status !== 0)
      say(`apt-get ${args[0]} failed:\n${`${stdout}\n${stderr}`.trim().split('\n').slice(-8).join('\n')}`)
  }
  return missing()
}

/** A line for people who must install by hand. */
export const howToInstall = (debian: readonly string[]): string =>
  [
    `The tests need ${debian.join(' and ')}. As root on Debian: apt-get install ${debian.join(' ')}`,
    'On macOS: brew install mosquitto, and CARELOOP_CHROMIUM=<path of a Chromium or Chrome>.',
  ].join('\n')

function isThere({ names, variable }: Tool): boolean {
  const named = variable === undefined ? undefined : process.env[variable]
  return named ? existsSync(named) : names.every(isOnPath)
}

function isOnPath(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
