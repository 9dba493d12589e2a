/** Whose readings they are, as the record needs it: kept in memory until somebody changes it. Holds PHI: never log it. */
import { Failure } from '@careloop/contract'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { openSubjects } from '../../subjects/index.ts'
import { livedOf } from '../../telemetry/index.ts'
import type { Clinical } from '../clinical.ts'
import { type SetAside, settingAside, staysSo } from './set-aside.ts'
import type { Whose } from './told.ts'

const typeOf = { patient: 'Patient', asset: 'Device', location: 'Location' } as const
const MAX_KEPT = 100_000

export class People {
  readonly #engine: Engine
  readonly #clinical: Pick<Clinical, 'openAll'>
  readonly setAside: SetAside
  /** Null: there is nobody, or nobody any more. */
  readonly #known = new Map<string, Whose | null>()
  /** Grows with each change that was told: what is being read meanwhile is not kept. */
  #epoch = 0

  constructor(engine: Engine, clinical: Pick<Clinical, 'openAll'>) {
    this.#engine = engine
    this.#clinical = clinical
    this.setAside = settingAside(engine)
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
    const keyed: string[] = []
    for (const subject of lived.keys())
      if (opened.has(subject) && (await this.#hasKey(tx, subject))) keyed.push(subject)
    const named = await this.#idsOf(tx, keyed)
    const found = new Map<string, Whose>()
    for (const [subject, { kind, zones }] of lived) {
      const one = opened.get(subject)
      if (one === undefined || !named.has(subject)) continue
      const reference = `${typeOf[kind]}/${named.get(subject)}`
      found.set(subject, { tenant: tx.tenant, subject, kind, reference, zones, birthDate: one.birthDate ?? null })
    }
    return found
  }

  /** FHIR ids: as `patientIdOf` tells it, of many at once. Those whose own resource cannot be opened are absent: none is guessed. */
  async #idsOf(tx: TenantTx, subjects: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { rows } = await tx.client.query<{ rid: string; subject: string }>({
      name: 'careloop-clinical-named-subjects',
      text: `select distinct on (r.subject_id) r.rid, r.subject_id as subject from tenant.clinical_resource r
               join tenant.subject s on s.tenant_id = r.tenant_id and s.id = r.subject_id
              where r.tenant_id = $1 and r.subject_id = any($2::uuid[]) and r.deleted_at is null
                and r.type = case s.kind when 'patient' then 'Patient' when 'location' then 'Location' else 'Device' end
              order by r.subject_id, r.seq`,
      values: [tx.tenant, subjects],
    })
    const ids = new Map(subjects.map((subject) => [subject, subject]))
    const name = async (some: typeof rows) => {
      const rids = some.map(({ rid }) => rid)
      for (const { subject, id } of (await this.#clinical.openAll(tx, rids)).values())
        if (subject !== null) ids.set(subject, id)
    }
    await name(rows).catch(async (error: unknown) => {
      if (!staysSo(error)) throw error
      for (const row of rows)
        await name([row]).catch((one: unknown) => {
          if (!staysSo(one)) throw one
          this.setAside(one, { tenant: tx.tenant, subject: row.subject })
          ids.delete(row.subject)
        })
    })
    return ids
  }

  /** Of whoever was erased nothing is made any more; nor of whose key is damaged, which is told. */
  async #hasKey(tx: TenantTx, subject: string): Promise<boolean> {
    try {
      await this.#engine.keys.keyFor('subject', subject)
      return true
    } catch (error) {
      if (error instanceof Failure && error.code === 'key-destroyed') return false
      if (!staysSo(error)) throw error
      this.setAside(error, { tenant: tx.tenant, subject })
      return false
    }
  }
}
