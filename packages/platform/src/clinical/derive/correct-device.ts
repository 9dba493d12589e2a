/**
 * A corrected assignment in the record: what was told of a person who did not wear the device is marked as entered in error, without
 * its value, and told of whoever did. What is done follows from what telemetry stores, so doing it twice changes nothing.
 */
import type { AssignmentChanged } from '@careloop/contract'
import type { Resource } from '@careloop/fhir'
import type { Engine, EngineTx, TenantTx } from '../../engine/index.ts'
import { findSeries, type KeptReading } from '../../telemetry/index.ts'
import type { Clinical, Derived } from '../clinical.ts'
import { panelIdOf } from './blood-pressure.ts'
import { deriveStored, type Remade } from './derive-stored.ts'
import { tellOutOfRange } from './out-of-range.ts'
import type { People } from './people.ts'
import { policyOf, windowOf } from './policy.ts'
import { provenanceOfCorrection } from './provenance.ts'
import { readDevice, type Stretch } from './read-device.ts'
import { spotIdOf } from './spot-observation.ts'
import { isStanding, standingOf } from './standing.ts'
import type { Told, Whose } from './told.ts'
import { absentElement } from './values.ts'
import { windowIdOf } from './window-observation.ts'

export interface CorrectingParts {
  readonly engine: Engine
  readonly clinical: Pick<Clinical, 'keepDerived' | 'openAll' | 'ridOf'>
  readonly people: People
}

/** A window that is not due yet, and is to be made from telemetry. */
export type Owed = Remade['open'][number]

/**
 * @param storedAt of the correction; telemetry has moved the readings
 * @param within runs work in a transaction that holds the lease
 * @returns windows that are not due yet and are owed from telemetry
 */
export async function correctDevice(
  parts: CorrectingParts,
  { tenant, device, since, assignments }: AssignmentChanged,
  storedAt: number,
  within: (work: (tx: EngineTx) => Promise<void>) => Promise<void>,
): Promise<Owed[]> {
  const series = await parts.engine.db.asTenant(tenant, (tx) => findSeries(tx, { device }))
  const subjects = new Set([
    ...series.flatMap(({ subject }) => subject ?? []),
    ...assignments.map(({ subject }) => subject),
  ])
  const open: Owed[] = []
  for await (const stretch of readDevice(parts.engine, series, since))
    await within((tx) =>
      tx.asTenant(tenant, async (tenantTx) => {
        const people = await parts.people.of(tenantTx, subjects)
        open.push(...(await correctStretch(parts, tenantTx, { device, stretch, people, storedAt })))
      }),
    )
  return open
}

interface Correcting {
  readonly device: string
  readonly stretch: Stretch
  readonly people: ReadonlyMap<string, Whose>
  readonly storedAt: number
}

async function correctStretch(parts: CorrectingParts, tx: TenantTx, what: Correcting): Promise<Owed[]> {
  const { device, stretch, people, storedAt } = what
  const right = new Map<string, Derived>()
  const open: Owed[] = []
  for (const [subject, bySignal] of stretch.bySubject) {
    const whose = people.get(subject)
    if (whose === undefined) continue
    const remade = await deriveStored({ whose, device, bySignal, until: storedAt })
    open.push(...remade.open)
    for (const [name, versions] of remade.versions) right.set(name, { ...versions.at(-1)!, at: storedAt })
  }
  await voidWrong(parts, tx, what, right)
  const known = await standingOf(parts.clinical, tx, right.keys())
  const fresh = [...right].flatMap(([name, derived]) => (isStanding(known.get(name)) ? [] : [derived]))
  await parts.clinical.keepDerived(tx, [...right.values(), ...provenancesOf(what, fresh)])
  await tellOutOfRange(parts.clinical, tx, fresh)
  return open
}

/** One a person: it says that these came to them by a correction, and never from whom. */
function provenancesOf({ device, people, storedAt }: Correcting, fresh: readonly Derived[]): Derived[] {
  const observations = fresh.filter(({ resource }) => resource.resourceType === 'Observation')
  return [...Map.groupBy(observations, ({ subject }) => subject)].flatMap(([subject, made]) => {
    const whose = subject === null ? undefined : people.get(subject)
    return whose === undefined ? [] : [provenanceOfCorrection(whose, { device, origin: 'automatic' }, made, storedAt)]
  })
}

/** Ids follow from whose a reading is: so it is known what it would have been of everybody else who ever wore the device. */
async function voidWrong(
  parts: CorrectingParts,
  tx: TenantTx,
  { device, stretch, people, storedAt }: Correcting,
  right: ReadonlyMap<string, Derived>,
): Promise<void> {
  const wrong = new Map<string, Whose>()
  for (const [subject, bySignal] of stretch.bySubject)
    for (const whose of people.values())
      if (whose.subject !== subject)
        for (const [signal, readings] of bySignal)
          for (const kept of readings)
            for (const id of idsOf(whose, device, signal, kept))
              if (!right.has(`Observation/${id}`)) wrong.set(`Observation/${id}`, whose)
  const standing = await standingOf(parts.clinical, tx, wrong.keys())
  const voided = [...standing].flatMap(([name, resource]) =>
    isStanding(resource) ? [{ resource: voidOf(resource), subject: wrong.get(name)!.subject, at: storedAt }] : [],
  )
  await parts.clinical.keepDerived(tx, voided)
}

function idsOf(whose: Whose, device: string, signal: string, kept: KeptReading): string[] {
  const policy = policyOf(signal)
  if (policy === null) return []
  const { origin = 'automatic', storedAt: _, ...reading } = kept
  const told: Told = { whose, source: { device, origin }, reading: { signal, ...reading }, storedAt: 0 }
  const name = {
    tenant: whose.tenant,
    subject: whose.subject,
    device,
    signal,
    from: windowOf(device, kept.measuredAt, policy),
  }
  return [
    spotIdOf(told),
    windowIdOf(name, policy),
    ...(kept.groupId === undefined ? [] : [panelIdOf(told, 0), panelIdOf(told, 1)]),
  ]
}

/** What is left of it: that it was there, what of and when, and that it is void. The value is another person's. */
export function voidOf(resource: Resource): Resource {
  const { id, identifier, category, code, subject, effectiveDateTime, effectivePeriod } = resource
  return {
    ...{ resourceType: 'Observation', id: id as string, identifier, status: 'entered-in-error' },
    ...(category === undefined ? {} : { category }),
    ...{ code, subject },
    ...(effectiveDateTime === undefined ? { effectivePeriod } : { effectiveDateTime }),
    ...absentElement('error', 'Error'),
    note: [{ text: 'The device was worn by somebody else at that time.' }],
  }
}
