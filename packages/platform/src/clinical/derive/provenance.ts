/**
 * Where what is derived comes from: one Provenance for each message that Observations were made of, and one for each summary.
 * Careloop assembled it, the device (or the person who typed) is its author, its source is the message by its SHA-256.
 */
import { createHash } from 'node:crypto'
import type { ReadingsLogged } from '@careloop/contract'
import type { Derived } from '../clinical.ts'
import { idOf } from './derived-id.ts'
import { systems } from './systems.ts'
import type { Source, Whose } from './told.ts'
import type { WindowName } from './window-observation.ts'

/** @param made of this message; at least one */
export function provenanceOfFrame(
  whose: Whose,
  entry: ReadingsLogged,
  made: readonly Derived[],
  storedAt: number,
): Derived {
  const sha256 = createHash('sha256').update(entry.frame.bytes).digest('hex')
  const id = idOf('frame', whose.tenant, whose.subject, entry.device, entry.receivedAt, sha256, made[0]!.resource.id!)
  const what = { identifier: { system: systems.frame, value: sha256 } }
  return provenance({ id, whose, source: entry, made, at: storedAt, what })
}

/** Of a window: it is of many messages, so its source is the series of the device's readings. */
export function provenanceOfWindow(whose: Whose, name: WindowName, made: Derived): Derived {
  const what = { identifier: { system: systems.series, value: `${name.device}/${name.signal}` } }
  const source: Source = { device: name.device, origin: 'automatic' }
  return provenance({ id: idOf('of', made.resource.id!), whose, source, made: [made], at: made.at, what })
}

/** Of what a corrected assignment brought to whoever wore the device. It does not say from whom. */
export function provenanceOfCorrection(whose: Whose, source: Source, made: readonly Derived[], at: number): Derived {
  const what = { identifier: { system: systems.series, value: source.device } }
  const id = idOf('corrected', whose.tenant, whose.subject, source.device, at, made[0]!.resource.id!)
  return provenance({ id, whose, source, made, at, what, activity: 'UPDATE' })
}

interface Parts {
  readonly id: string
  readonly whose: Whose
  readonly source: Source
  readonly made: readonly Derived[]
  readonly at: number
  readonly what: object
  readonly activity?: 'CREATE' | 'UPDATE'
}

function provenance({ id, whose, source, made, at, what, activity = 'CREATE' }: Parts): Derived {
  const resource = {
    resourceType: 'Provenance',
    id,
    target: made.map(({ resource }) => ({ reference: `${resource.resourceType}/${resource.id}` })),
    recorded: new Date(at).toISOString(),
    activity: { coding: [{ system: systems.dataOperation, code: activity }] },
    agent: [
      { type: agentType('assembler', 'Assembler'), who: { display: 'Careloop' } },
      ...(author(source) === undefined ? [] : [{ type: agentType('author', 'Author'), who: author(source) }]),
    ],
    entity: [{ role: 'source', what }],
  }
  return { resource, subject: whose.subject, signals: [...new Set(made.flatMap(({ signals = [] }) => signals))], at }
}

function author({ origin, device, enteredBy }: Source): object | undefined {
  if (origin === 'automatic') return { reference: `Device/${device}` }
  return enteredBy === undefined ? undefined : { reference: `Practitioner/${enteredBy}` }
}

const agentType = (code: string, display: string): object => ({
  coding: [{ system: systems.agentType, code, display }],
})
