/** Whose readings they are, as the record needs it: kept in memory until somebody changes it. Holds PHI: never log it. */
import { Failure } from '@careloop/contract'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { openSubjects } from '../../subjects/index.ts'
import { livedOf } from '../../telemetry/index.ts'
import type { Clinical } from '../clinical.ts'
import type { Whose } from './told.ts'

const typeOf = { patient: 'Patient', asset: 'Device', location: 'Location' } as const
const MAX_KEPT = 100_000

export class People {
  readonly #engine: Engine
  readonly #clinical: Pick<Clinical, 'openAll'>
  /** Null: there is nobody, or nobody any more. */
  readonly #known = new Map<string, Whose | null>()
  /** Grows with each change that was told: what is being read meanwhile is not kept. */
  #epoch = 0

  constructor(engine: Engine, clinical: Pick<Clinical, 'openAll'>) {
    this.#engine = engine
    this.#clinical = clinical
  }

  /** Those of these subjects that live. */
  async of(tx: TenantTx, subjects: Iterable<string>): Promise<ReadonlyMap<string, Whose>> {
    const found = new Map<string, Whose>()
    const missing: string[] = []
    for (const subject of new Set(subjects)) {
      const known = this.#known.get(subject)
      if (known === undefined) missing.push(subject)
      else if (known !== null && known.tenant === tx.tenant) found.set(subject, known)
    }
    if (missing.length === 0) return found
    const epoch = this.#epoch
    const read = await this.#read(tx, missing)
    if (this.#known.size + missing.length > MAX_KEPT) this.#known.clear()
    for (const subject of missing) {
      const whose = read.get(subject)
      if (whose !== undefined) found.set(subject, whose)
      if (epoch === this.#epoch) this.#known.set(subject, whose ?? null)
    }
    return found
  }

  forget(subject: string): void {
    this.#epoch++
    this.#known.delete(subject)
  }

  async #read(tx: TenantTx, subjects: readonly string[]): Promise<ReadonlyMap<string, Whose>> {
    const lived = await livedOf(tx, subjects)
    const opened = new Map((await openSubjects(this.#engine, tx, [...lived.keys()])).map((one) => [one.id, one]))
    const named = await this.#idsOf(tx, [...lived.keys()])
    const found = new Map<string, Whose>()
    for (const [subject, { kind, zones }] of lived) {
      const one = opened.get(subject)
      if (one === undefined || !(await this.#hasKey(subject))) continue
      const reference = `${typeOf[kind]}/${named.get(subject) ?? subject}`
      found.set(subject, { tenant: tx.tenant, subject, kind, reference, zones, birthDate: one.birthDate ?? null })
    }
    return found
  }

  /** FHIR ids of those that another system named: as `patientIdOf` tells it, of many at once. */
  async #idsOf(tx: TenantTx, subjects: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { rows } = await tx.client.query<{ rid: string }>({
      name: 'careloop-clinical-named-subjects',
      text: `select distinct on (r.subject_id) r.rid from tenant.clinical_resource r
               join tenant.subject s on s.tenant_id = r.tenant_id and s.id = r.subject_id
              where r.tenant_id = $1 and r.subject_id = any($2::uuid[]) and r.deleted_at is null
                and r.type = case s.kind when 'patient' then 'Patient' when 'location' then 'Location' else 'Device' end
              order by r.subject_id, r.seq`,
      values: [tx.tenant, subjects],
    })
    const opened = await this.#clinical.openAll(
      tx,
      rows.map(({ rid }) => rid),
    )
    return new Map([...opened.values()].flatMap(({ subject, id }) => (subject === null ? [] : [[subject, id]])))
  }

  /** Of whoever was erased nothing is made any more. */
  async #hasKey(subject: string): Promise<boolean> {
    try {
      await this.#engine.keys.keyFor('subject', subject)
      return true
    } catch (error) {
      if (error instanceof Failure && error.code === 'key-destroyed') return false
      throw error
    }
  }
}
