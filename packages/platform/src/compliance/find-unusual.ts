/** Looks at each day that has ended, once: volumes, records of people of one's own name, watched records. */
import type { UnusualKind } from '@careloop/contract'
import { dailyReach, pairsSeen } from '../audit/index.ts'
import type { TenantTx } from '../engine/index.ts'
import type { Colleague, ComplianceParts } from './office.ts'
import type { ComplianceTables } from './schema.ts'
import { sharesName, unusualVolumes, usualDays } from './unusual.ts'

const DAY_MS = 86_400_000
/** Days that are looked at in one go after a long standstill; older ones stay in the trail. */
const catchUpDays = 14

interface Found {
  readonly kind: UnusualKind
  readonly user: string
  readonly subject: string | null
  readonly count: number | null
  readonly usual: number | null
}

/** @returns how many findings were new */
export async function findUnusual(parts: ComplianceParts, tenant: string): Promise<number> {
  const { engine } = parts
  const today = startOfDay(engine.clock.now())
  const checked = await engine.db.asTenant(tenant, checkedUntil)
  let day = Math.max(checked === null ? today - DAY_MS : Date.parse(checked) + DAY_MS, today - catchUpDays * DAY_MS)
  let made = 0
  for (; day < today; day += DAY_MS) made += await judgeDay(parts, tenant, day)
  return made
}

async function judgeDay(parts: ComplianceParts, tenant: string, day: number): Promise<number> {
  const { engine } = parts
  const staff = new Map((await parts.staff(tenant)).map((each) => [each.id, each]))
  const pairs = await engine.db.asTenant(tenant, (tx) => pairsSeen(tx, day, day + DAY_MS))
  const names = await parts.subjects.names(tenant, [...new Set(pairs.map(({ subject }) => subject))])
  const teams = new Map((await parts.subjects.careTeams(tenant)).map((team) => [team.id, new Set(team.members)]))
  return engine.db.asTenant(tenant, async (tx) => {
    const watched = await watchedIds(tx)
    const isOwnTeams = (user: string, subject: string) => teams.get(names.get(subject)?.team ?? '')?.has(user) === true
    const found: Found[] = [
      ...(await volumesOf(tx, day)),
      ...pairs
        .filter(({ user, subject }) => isNamesake(staff.get(user), names.get(subject)))
        .map((pair) => ({ kind: 'own-name' as const, ...pair, count: null, usual: null })),
      ...pairs
        .filter(({ user, subject }) => watched.has(subject) && !isOwnTeams(user, subject))
        .map((pair) => ({ kind: 'watched-record' as const, ...pair, count: null, usual: null })),
    ]
    let made = 0
    for (const each of found) if (await keep(tx, parts, day, each)) made += 1
    await tx
      .tables<ComplianceTables>()
      .insertInto('unusual_access_checked')
      .values({ until: dateOf(day) })
      .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet({ until: dateOf(day) }))
      .execute()
    return made
  })
}

type Named = { readonly kind: string; readonly display: string }

const isNamesake = (person: Colleague | undefined, subject: Named | undefined): boolean =>
  person !== undefined && subject?.kind === 'patient' && sharesName(person.displayName, subject.display)

async function volumesOf(tx: TenantTx, day: number): Promise<Found[]> {
  const rows = await dailyReach(tx, day - usualDays * DAY_MS, day + DAY_MS)
  const [before, today] = [new Map<string, number[]>(), new Map<string, number>()]
  for (const { user, day: date, subjects } of rows) {
    if (date === dateOf(day)) today.set(user, subjects)
    else before.set(user, [...(before.get(user) ?? []), subjects])
  }
  return unusualVolumes(before, today).map((each) => ({ kind: 'volume', subject: null, ...each }))
}

/** Of this day once, however often the day is looked at; each is told of for a review. */
async function keep(tx: TenantTx, { engine }: ComplianceParts, day: number, found: Found): Promise<boolean> {
  const id = engine.ids.uuid()
  const { kind, user, subject, count, usual } = found
  const { rowCount } = await tx.client.query(
    `insert into tenant.unusual_access (id, kind, day, user_id, subject_id, count, usual, found_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [id, kind, dateOf(day), user, subject, count, usual, engine.clock.now()],
  )
  if (rowCount !== 1) return false
  await tx.publish({
    type: 'UnusualAccessFound',
    finding: id,
    user,
    ...(subject === null ? {} : { subject }),
    reason: kind,
  })
  return true
}

async function watchedIds(tx: TenantTx): Promise<ReadonlySet<string>> {
  const rows = await tx.tables<ComplianceTables>().selectFrom('watched_record').select('subject_id').execute()
  return new Set(rows.map(({ subject_id }) => subject_id))
}

/** The last day (UTC) that was looked at; null = none. */
export async function checkedUntil(tx: TenantTx): Promise<string | null> {
  const { rows } = await tx.client.query<{ until: string }>(
    `select to_char(until, 'YYYY-MM-DD') as until from tenant.unusual_access_checked where tenant_id = $1`,
    [tx.tenant],
  )
  return rows[0]?.until ?? null
}

const startOfDay = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS
const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
