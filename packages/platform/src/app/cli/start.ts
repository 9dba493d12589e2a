/** `careloop start`: the platform until SIGTERM or SIGINT. */
import { makeWatch } from '../../engine/index.ts'
import type { Config } from '../config.ts'
import type { Command } from '../main.ts'
import { arePagesBuilt, type Platform, startPlatform } from '../platform.ts'

export const startCommand: Command = async (config) => {
  const platform = await startPlatform(config, makeWatch({ level: config.logLevel, processMetrics: true }))
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
      console.error(error)
      process.exit(1)
    })
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
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
