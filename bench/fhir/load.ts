/** Fills a record: patients by the subjects' room, Observations by the store's own row encoder and statements, many a transaction. */
import { keysOf, validate } from '../../packages/fhir/src/index.ts'
import { toResource } from '../../packages/fhir/src/json/index.ts'
import type { Rooms } from '../../packages/platform/src/app/rooms.ts'
import { makeBlinds } from '../../packages/platform/src/clinical/store/blind.ts'
import { rowOf, type Sealing } from '../../packages/platform/src/clinical/store/draft.ts'
import { signalsOf } from '../../packages/platform/src/clinical/store/signals.ts'
import { insertRows, type NewRow } from '../../packages/platform/src/clinical/store/write-rows.ts'
import type { DataKey } from '../../packages/platform/src/engine/index.ts'
import { byConsole } from '../../packages/platform/src/subjects/index.ts'
import { chances, idOf, measuredAt, observationTree } from './observations.ts'

/** What was loaded, kept beside the data so that a later run need not load again. */
export interface Loaded {
  readonly tenant: string
  readonly token: string
  readonly patients: readonly string[]
  readonly observations: number
  /** ms; the newest reading. */
  readonly until: number
}

const inOneTransaction = 1_000
/** More would only wait for each other: one encodes while the database writes the others. */
const inFlight = 3

export async function loadRecord(rooms: Rooms, wanted: { observations: number; patients: number }): Promise<Loaded> {
  const tenant = (await rooms.engine.db.tenants())[0] ?? (await rooms.identity.createTenant('Bench'))
  const { token, id } = await rooms.identity.createServiceToken({ tenant, name: 'bench', scopes: ['*:*'] })
  // The record system of the organisation itself: it treats, so consent is asked and holds nothing back.
  await rooms.subjects.consents.changeSettings(byConsole(tenant), { holdsPart2: false, ownServices: [id] })
  const patients = await timed('patients', wanted.patients, () => makePatients(rooms, tenant, wanted.patients))
  const loaded: Loaded = { tenant, token, patients, observations: wanted.observations, until: rooms.engine.clock.now() }
  assertValid(loaded)
  await timed('Observations', wanted.observations, () => makeObservations(rooms, loaded))
  return loaded
}

/** Whose observation it is: each patient has as many, spread over the whole time. */
export const patientOf = ({ patients }: Pick<Loaded, 'patients'>, number: number): string =>
  patients[(number * 7919) % patients.length]!

async function makePatients(rooms: Rooms, tenant: string, count: number): Promise<string[]> {
  const by = byConsole(tenant)
  const made: string[] = []
  while (made.length < count) {
    const some = Array.from({ length: Math.min(16, count - made.length) }, (_, at) => made.length + at)
    const created = await Promise.all(
      some.map((number) => {
        const name = [{ family: `Bench${number}`, given: [`Number ${number % 97}`] }]
        const birthDate = `19${String(30 + (number % 60)).padStart(2, '0')}-0${(number % 9) + 1}-1${number % 10}`
        const resource = { resourceType: 'Patient' as const, name, birthDate }
        return rooms.subjects.create(by, { timeZone: 'America/Chicago', resource })
      }),
    )
    made.push(...created.map(({ id }) => id))
  }
  return made
}

async function makeObservations({ engine }: Rooms, loaded: Loaded): Promise<void> {
  const { tenant, observations: count } = loaded
  const blind = await makeBlinds(engine)(tenant)
  const keys = new Map<string, DataKey>()
  for (const patient of loaded.patients) keys.set(patient, await engine.keys.keyFor('subject', patient))
  const writing = new Set<Promise<void>>()
  for (let from = 0; from < count; from += inOneTransaction) {
    const rows: NewRow[] = []
    for (let number = from; number < Math.min(count, from + inOneTransaction); number++) {
      const key = keys.get(patientOf(loaded, number))!
      rows.push(rowAt(loaded, number, { tenant, key, blind, keysOf }))
    }
    const write: Promise<void> = engine.db
      .asTenant(tenant, async (tx) => {
        if ((await insertRows(tx, rows)).size !== rows.length) throw new Error('some rows were there already')
      })
      .finally(() => writing.delete(write))
    writing.add(write)
    if (writing.size >= inFlight) await Promise.race(writing)
    if (from % 100_000 === 0 && from > 0) console.log(`  ${from} of ${count}`)
  }
  await Promise.all(writing)
}

function rowAt(loaded: Loaded, number: number, sealing: Sealing): NewRow {
  const patient = patientOf(loaded, number)
  const at = measuredAt(number, loaded.observations, loaded.until)
  const tree = observationTree(number, patient, at)
  const id = idOf(number)
  const draft = {
    ...{ type: 'Observation', id, rid: sealing.blind.rid('Observation', id), tree, subject: patient },
    ...{ signals: signalsOf(toResource(tree)), isDerived: false, updatedAt: at + 700 },
  }
  return rowOf(draft, sealing).row
}

/** What is loaded would have been let in at the door. */
function assertValid(loaded: Loaded): void {
  const chance = chances(loaded.observations)
  for (let time = 0; time < 200; time++) {
    const number = Math.floor(chance() * loaded.observations)
    const issues = validate(toResource(observationTree(number, patientOf(loaded, number), loaded.until)))
    const wrong = issues.find(({ severity }) => severity === 'error' || severity === 'fatal')
    if (wrong) throw new Error(`observation ${number} is invalid: ${wrong.diagnostics} ${wrong.expression}`)
  }
}

async function timed<T>(what: string, count: number, act: () => Promise<T>): Promise<T> {
  const began = performance.now()
  const made = await act()
  const seconds = (performance.now() - began) / 1000
  console.log(`loaded ${count} ${what} in ${seconds.toFixed(0)} s: ${Math.round(count / seconds)}/s`)
  return made
}
