/**
 * The one patient whom somebody names exactly, for emergency access: by an identifier, or by the whole name and the birth date.
 * Unlike a search it completes nothing, lists nobody, and finds nobody when two fit.
 */
import type { BreakGlass } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { normaliseIdentifier, wordsIn } from './body.ts'
import { hashKey, subjectsWithKey } from './identifiers.ts'
import type { NameKeeper } from './name-keeper.ts'
import type { SubjectsTables } from './schema.ts'
import { openSubjects } from './subject-store.ts'

/** Not audited here: the caller records what it was asked for, and what it did with the answer. @returns id, or null */
export async function exactPatient(
  engine: Engine,
  names: NameKeeper,
  tenant: string,
  wanted: BreakGlass['patient'],
): Promise<string | null> {
  const ids =
    'identifier' in wanted
      ? await byIdentifier(engine, tenant, wanted.identifier)
      : await byName(names, tenant, wanted.name, wanted.birthDate)
  if (ids.length !== 1) return null
  // Rows alone are the truth: a name in memory may be of before a correction, or of somebody who was erased.
  const [found] = await engine.db.asTenant(tenant, (tx) => openSubjects(engine, tx, ids))
  if (found === undefined || found.kind !== 'patient') return null
  return 'identifier' in wanted || isWholeName(found, wanted.name, wanted.birthDate) ? found.id : null
}

async function byIdentifier(
  engine: Engine,
  tenant: string,
  { system, value }: { system?: string | undefined; value: string },
): Promise<string[]> {
  const systems = system === undefined ? await systemsOf(engine, tenant) : [system]
  const normalised = normaliseIdentifier(value)
  const hmacs = await Promise.all(systems.map((each) => hashKey(engine, tenant, each, normalised)))
  return engine.db.asTenant(tenant, async (tx) => {
    const found = new Set<string>()
    for (const [at, each] of systems.entries())
      for (const id of await subjectsWithKey(tx, each, hmacs[at]!, 2)) found.add(id)
    return [...found]
  })
}

/** Who reads a wristband knows the number, not the URI of who gave it. Telephones and addresses may be a family's: not these. */
const systemsOf = (engine: Engine, tenant: string): Promise<string[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const rows = await tx
      .tables<SubjectsTables>()
      .selectFrom('subject_identifier')
      .select('system')
      .distinct()
      .where('is_unique', '=', true)
      .execute()
    return rows.map((row) => row.system)
  })

/** More than anybody who shares a name and a birthday: beyond it nobody is found, which asks for the identifier. */
const namesakes = 50

async function byName(names: NameKeeper, tenant: string, name: string, birthDate: string): Promise<string[]> {
  const found = (await names.of(tenant)).find(`${name} ${birthDate}`, namesakes, 'patient')
  return found.filter((each) => isWholeName(each, name, birthDate)).map(({ id }) => id)
}

/** Every word of the name that is shown, in any order, without case and accents: no word may be missing. */
function isWholeName(
  { display, birthDate }: { readonly display: string; readonly birthDate: string | undefined },
  name: string,
  wantedDate: string,
): boolean {
  const [own, given] = [display, name].map((text) => [...new Set(wordsIn(text))].sort().join(' '))
  return birthDate === wantedDate && own === given
}
