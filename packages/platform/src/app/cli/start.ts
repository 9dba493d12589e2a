/** `careloop start`: the platform until SIGTERM or SIGINT. */
import { makeWatch, safeError, type Watch } from '../../engine/index.ts'
import type { Config } from '../config.ts'
import type { Command } from '../main.ts'
import { arePagesBuilt, type Platform, startPlatform } from '../platform.ts'

export const startCommand: Command = async (config) => {
  const watch = makeWatch({ level: config.logLevel, processMetrics: true })
  let opened: Platform | undefined
  endOnCrash(watch, () => opened?.close() ?? Promise.resolve())
  const platform = await startPlatform(config, watch)
  opened = platform
  for (const line of await welcome(platform, config)) console.log(line)
  endWithProcess(platform)
}

/** Ends the platform in order on SIGTERM or SIGINT; a second signal ends the process at once. */
export function endWithProcess(platform: { close(): Promise<void> }, after: () => void = () => process.exit(0)): void {
  let ending = false
  const end = () => {
    if (ending) process.exit(1)
    ending = true
    platform.close().then(after, (error: unknown) => {
      console.error(JSON.stringify(safeError(error)))
      process.exit(1)
    })
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
}

/** How long a process that is broken may take to end in order, ms. */
const CRASH_GRACE_MS = 10_000

/**
 * An error that nobody expected: what the process holds in memory cannot be trusted any more. It is told, without what it may quote
 * of a person, and the process ends in order with exit code 1, to be started anew by who watches it.
 */
export function endOnCrash({ log }: Watch, close: () => Promise<void>): void {
  let ending = false
  const end = (err: unknown) => {
    log.fatal({ err }, 'an error that nobody expected: the process ends, start it again')
    if (ending) return
    ending = true
    setTimeout(() => process.exit(1), CRASH_GRACE_MS).unref()
    close()
      .catch((cause: unknown) => log.error({ err: cause }, 'the process did not end in order'))
      .finally(() => process.exit(1))
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}

async function welcome(platform: Platform, config: Config): Promise<string[]> {
  const lines = [...platform.notices]
  if (platform.http && arePagesBuilt()) lines.push(`Pages          ${platform.http}`)
  else if (platform.http)
    lines.push(
      `API            ${platform.http}`,
      'The pages are not built, so none are served. Start it by npm (npm start), which builds them.',
    )
  for (const { door, host, port } of platform.doors?.mqtt.addresses ?? [])
    lines.push(
      door === 'mqtt'
        ? `MQTT           ${host}:${port} (device tokens)`
        : `MQTT over TLS  ${host}:${port} (client certificates)`,
    )
  const setup = await platform.rooms.identity.offerSetup()
  if (setup)
    lines.push(
      `First administrator: open ${platform.http ?? `http://${config.http.host}`}/setup#token=${setup}  (once, within a day)`,
    )
  return lines
}
