/** Finding subjects: by words from memory, by exact identifier from HMACs, by id. What was shown to whom is audited. */
import type { SubjectKind, SubjectSearch } from '@careloop/contract'
import type { Engine, TenantTx } from '../engine/index.ts'
import { emailSystem, normaliseEmail, normaliseIdentifier, normalisePhone, phoneSystem } from './body.ts'
import { audited, type By } from './by.ts'
import { hashKey, subjectsWithKey } from './identifiers.ts'
import type { NamedSubject } from './name-index.ts'
import type { NameKeeper } from './name-keeper.ts'
import { sees } from './sight.ts'
import { listSubjectIds, openSubjects, type SubjectFilter } from './subject-store.ts'

/** Subjects that match; names found in memory are checked against the rows, which alone are the truth. */
export async function searchSubjects(
  engine: Engine,
  names: NameKeeper,
  by: By,
  search: SubjectSearch,
): Promise<NamedSubject[]> {
  const index = search.text === undefined ? undefined : await names.of(by.tenant)
  const exact = await exactKey(engine, by.tenant, search)
  return engine.db.asTenant(by.tenant, async (tx) => {
    let ids = search.ids ?? []
    if (index && search.text !== undefined)
      ids = index.find(search.text, search.limit, search.kind).map((each) => each.id)
    if (exact) ids = await subjectsWithKey(tx, exact.system, exact.hmac, search.limit)
    return shown(engine, tx, by, ids, search.kind)
  })
}

/** A page of subjects in the order of creation. */
export const listSubjects = (engine: Engine, by: By, filter: SubjectFilter) =>
  engine.db.asTenant(by.tenant, async (tx) => {
    const ids = await listSubjectIds(tx, { ...filter, sight: by.sight, limit: filter.limit + 1 })
    const items = await shown(engine, tx, by, ids.slice(0, filter.limit))
    return { items, next: ids.length > filter.limit ? ids[filter.limit - 1]! : null }
  })

async function exactKey(engine: Engine, tenant: string, search: SubjectSearch) {
  const [system, normalised] =
    search.identifier !== undefined
      ? [search.identifier.system, normaliseIdentifier(search.identifier.value)]
      : search.phone !== undefined
        ? [phoneSystem, normalisePhone(search.phone)]
        : search.email !== undefined
          ? [emailSystem, normaliseEmail(search.email)]
          : []
  if (system === undefined || normalised === undefined) return undefined
  return { system, hmac: await hashKey(engine, tenant, system, normalised) }
}

async function shown(engine: Engine, tx: TenantTx, by: By, ids: readonly string[], kind?: SubjectKind) {
  const subjects = (await openSubjects(engine, tx, ids)).filter(
    (each) => (kind === undefined || each.kind === kind) && sees(by.sight, each),
  )
  await audited(tx, by, 'search', 'subject', { subjects: subjects.map((subject) => subject.id) })
  return subjects
}
