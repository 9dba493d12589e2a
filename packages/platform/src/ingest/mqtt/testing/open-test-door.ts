import { type ManualClock, makeManualClock } from '../../../engine/clock/manual-clock.ts'
import { makeIds } from '../../../engine/ids/ids.ts'
import { makeWatch } from '../../../engine/watch/watch.ts'
import type { Limits } from '../limits.ts'
import type { PlainListen, TlsListen } from '../listeners.ts'
import { type MqttDoor, openMqttDoor } from '../mqtt-door.ts'
import type { SessionStore } from '../session-store.ts'
import { type MemorySessionStore, memorySessionStore } from './memory-session-store.ts'
import { ScriptedHost } from './scripted-host.ts'

export interface TestDoor {
  readonly door: MqttDoor
  readonly host: ScriptedHost
  readonly clock: ManualClock
  readonly store: MemorySessionStore
  readonly port: number
  metric(name: string, labels?: Record<string, string>): Promise<number>
  close(): Promise<void>
}

export interface TestDoorOptions {
  readonly limits?: Partial<Limits>
  readonly host?: ScriptedHost
  readonly store?: SessionStore
  readonly clock?: ManualClock
  readonly plain?: PlainListen
  readonly tls?: TlsListen
}

/** A door on a free loopback port, with a host that the test scripts and a clock that it moves. */
export async function openTestDoor(options: TestDoorOptions = {}): Promise<TestDoor> {
  const host = options.host ?? new ScriptedHost()
  const clock = options.clock ?? makeManualClock()
  const store = memorySessionStore()
  const watch = makeWatch({ level: 'silent' })
  const door = await openMqttDoor({
    ...(options.tls ? { tls: options.tls } : { plain: options.plain ?? { host: '127.0.0.1', port: 0 } }),
    host,
    store: options.store ?? store,
    clock,
    ids: makeIds(clock),
    watch,
    ...(options.limits ? { limits: options.limits } : {}),
  })
  return {
    door,
    host,
    clock,
    store,
    port: door.addresses[0]!.port,
    async metric(name, labels = {}) {
      const { values } = await watch.metrics.getSingleMetric(name)!.get()
      const wanted = Object.entries(labels)
      return values.find((value) => wanted.every(([key, label]) => value.labels[key] === label))?.value ?? 0
    },
    close() {
      // A closing door waits for what is under way.
      for (const held of host.held ?? []) held.commit()
      return door.close()
    },
  }
}
