/** Whether the demo's ports are free, and which variable to set when one is not. */
import { createServer } from 'node:net'
import type { Config } from '@careloop/platform'

export interface Taken {
  readonly port: number
  readonly what: string
  readonly variable: string
}

export async function takenPorts({ http, mqtt, mqtts }: Pick<Config, 'http' | 'mqtt' | 'mqtts'>): Promise<Taken[]> {
  const wanted = [
    [http, 'the pages', 'CARELOOP_HTTP_PORT'],
    [mqtt, 'MQTT', 'CARELOOP_MQTT_PORT'],
    [mqtts, 'MQTT over TLS', 'CARELOOP_MQTTS_PORT'],
  ] as const
  const taken: Taken[] = []
  for (const [listen, what, variable] of wanted)
    if (listen && listen.port !== 0 && !(await isFree(listen.host, listen.port)))
      taken.push({ port: listen.port, what, variable })
  return taken
}

const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, host, () => probe.close(() => resolve(true)))
  })
