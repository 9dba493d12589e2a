/** Devices on subjects, and what the log says of doors and connections: for tests of silence. */
import type { LogEntry } from '@careloop/contract'
import { testFleet } from '../../fleet/fixtures.ts'
import { aFridge } from '../../subjects/fixtures.ts'
import type { Scene } from './scene.ts'

export interface Probes {
  /** A refrigerator in vaccine-fridge, owned by ben. */
  fridge(): Promise<string>
  /** A probe on it from now on; measures each 10 min. @param gateway by which it is heard */
  probe(subject: string, gateway?: string): Promise<string>
  /** A gateway, and the device of the same name by which it connects. */
  gateway(): Promise<{ id: string; device: string }>
  /** 5 °C, of each of these probes, in one commit. */
  measure(of: readonly { subject: string; device: string }[], celsius?: number): Promise<void>
  append(...entries: readonly LogEntry[]): Promise<void>
  /** Lets time pass, with a tick each minute as a server that runs would append. */
  pass(minutes: number): Promise<void>
}

let number = 0

export function makeProbes(scene: Scene): Probes {
  const { engine, clock, by, tenant, subjects } = scene
  const fleet = testFleet(engine)
  const append = async (...entries: readonly LogEntry[]) => {
    await engine.log.append(entries)
  }
  return {
    append,
    async fridge() {
      const { id } = await subjects.create(by, aFridge(`Unit ${++number}`))
      await subjects.enrol(by, id, { program: 'vaccine-fridge', owner: 'ben', backup: 'nora' })
      return id
    },
    async probe(subject, gateway) {
      const wanted = { name: `silent-${++number}`, classification: 'operational', profile: 'generic' } as const
      const where = gateway === undefined ? {} : { gateway }
      const { id } = await fleet.enrolDevice(by, { ...wanted, ...where, expectedIntervalMs: 600_000 })
      await fleet.assign(by, id, subject, null)
      return id
    },
    async gateway() {
      const name = `box-${++number}`
      const { id } = await fleet.enrolGateway(by, { name })
      const device = await fleet.enrolDevice(by, { name, classification: 'operational', profile: 'generic' })
      return { id, device: device.id }
    },
    async measure(of, celsius = 5) {
      const now = clock.now()
      const frame = { format: 'json', bytes: Buffer.from('{}') } as const
      const readings = [{ signal: 'temperature-probe', value: celsius, measuredAt: now, ordinal: 0 }]
      const about = { kind: 'readings', tenant, door: 'mqtt', receivedAt: now, origin: 'automatic' } as const
      await append(
        ...of.map(({ subject, device }) => ({ ...about, device, assignment: device, subject, frame, readings })),
      )
    },
    async pass(minutes) {
      for (let i = 0; i < minutes; i++) {
        await clock.advance(60_000)
        await append({ kind: 'tick', at: clock.now() })
      }
    },
  }
}
