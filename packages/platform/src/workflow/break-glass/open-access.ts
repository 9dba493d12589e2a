/**
 * Emergency access: a nurse or physician says exactly which patient and why, and sees them for some hours. It is no way to find out
 * who is a patient: nothing is completed or listed, a hit is told to the office and to the patient's care team at once, and a miss
 * is recorded, counted, slowed down and, when repeated, told to the office as well.
 */
import type { BreakGlass, BreakGlassAccess } from '@careloop/contract'
import { record, sealDetail } from '../../audit/index.ts'
import type { DataKey, Engine, TenantTx } from '../../engine/index.ts'
import type { StaffPrincipal } from '../../identity/index.ts'
import { grantSight, isSeen, type Subjects, sightOf } from '../../subjects/index.ts'
import { workflowFailure } from '../errors.ts'
import type { ReviewTables } from '../reviews/schema.ts'
import { accessOf, sealWords, standingOf } from './access-rows.ts'
import { readSetting } from './setting.ts'

const hourMs = 3_600_000
/** Misses of one person within an hour: each third is told to the office, and from the eighth on they wait. */
export const missesTold = 3
export const missesAllowed = 8

export interface Breaking {
  readonly person: StaffPrincipal
  readonly asked: BreakGlass
  readonly requestId: string
}

/** What an attempt came to; decided in its transaction, and told after it: an attempt is recorded whatever it comes to. */
type Outcome =
  | { readonly is: 'open'; readonly access: BreakGlassAccess }
  | { readonly is: 'needless' }
  | { readonly is: 'missed' }
  | { readonly is: 'throttled'; readonly waitMs: number }

/**
 * @returns the access; the one that stands already when it is asked for again
 * @throws Failure `break-glass-clinician`, `break-glass-not-found`, `break-glass-needless`, `break-glass-throttled`
 */
export async function openAccess(
  engine: Engine,
  subjects: Pick<Subjects, 'exactPatient'>,
  breaking: Breaking,
): Promise<BreakGlassAccess> {
  const { person, asked } = breaking
  if (!person.roles.some((role) => role === 'nurse' || role === 'physician'))
    throw workflowFailure('break-glass-clinician', 'Emergency access is for nurses and physicians. Ask one of them.')
  const tenantKey = await engine.keys.keyFor('tenant', person.tenant)
  const throttled = (tx: TenantTx) => throttle(engine, tx, breaking, tenantKey)
  // Whoever has to wait has nobody looked for: neither an answer nor its time tells of a patient.
  const waits = await engine.db.asTenant(person.tenant, throttled)
  if (waits !== null) return told(waits)
  const patient = await subjects.exactPatient(person.tenant, asked.patient)
  // Asked for before the transaction, which must not wait for another connection.
  const key = patient === null ? null : await engine.keys.keyFor('subject', patient)
  const outcome = await engine.db.asTenant(person.tenant, async (tx): Promise<Outcome> => {
    // Asked again: of many attempts at once all could have been free before.
    const waitsNow = await throttled(tx)
    if (waitsNow !== null) return waitsNow
    if (patient === null || key === null) return miss(engine, tx, breaking, tenantKey)
    const standing = (await standingOf(tx, person.id, engine.clock.now())).find(({ subject }) => subject === patient)
    if (standing !== undefined) return { is: 'open', access: standing }
    if (await isSeen(tx, patient, sightOf(person, 'read', 'subject'))) return { is: 'needless' }
    return { is: 'open', access: await open(engine, tx, breaking, patient, key) }
  })
  return told(outcome)
}

function told(outcome: Outcome): BreakGlassAccess {
  if (outcome.is === 'open') return outcome.access
  if (outcome.is === 'needless')
    throw workflowFailure('break-glass-needless', 'You may see this patient already: search for them as usual.')
  if (outcome.is === 'throttled')
    throw workflowFailure(
      'break-glass-throttled',
      `Too many attempts found nobody. Wait ${Math.ceil(outcome.waitMs / 60_000)} min, and ask admission meanwhile.`,
      { retryAfterSeconds: Math.ceil(outcome.waitMs / 1000) },
    )
  throw workflowFailure(
    'break-glass-not-found',
    'No one patient has exactly this. Check every letter and the date, or ask admission for the identifier. The attempt was recorded.',
    { pointer: '/body/patient' },
  )
}

async function open(
  engine: Engine,
  tx: TenantTx,
  { person, asked, requestId }: Breaking,
  patient: string,
  key: DataKey,
): Promise<BreakGlassAccess> {
  const now = engine.clock.now()
  const id = engine.ids.uuid()
  const until = now + (await readSetting(tx)).hours * hourMs
  const row = await tx
    .tables<ReviewTables>()
    .insertInto('break_glass')
    .values({
      ...{ id, subject_id: patient, user_id: person.id, reason: asked.reason, opened_at: now, until_at: until },
      ...{ key_id: key.id, words: sealWords(key, tx.tenant, id, asked.words) },
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  const actor = `staff:${person.id}`
  const from = { from: now, until, actor, requestId }
  await grantSight(tx, {
    ...{ id: engine.ids.uuid(), subject: patient, user: person.id, why: 'break-glass', source: id, ...from },
  })
  await record(tx, {
    ...{ actor, requestId, action: 'create', resource: 'break-glass', id, subject: patient, purpose: 'ETREAT' },
    detail: sealDetail(tx, key, { reason: asked.reason, words: asked.words }),
  })
  await tx.publish({ type: 'BreakGlassOpened', access: id, subject: patient, user: person.id, reason: asked.reason })
  return accessOf(row)
}

async function miss(engine: Engine, tx: TenantTx, breaking: Breaking, key: DataKey): Promise<Outcome> {
  const { id: user } = breaking.person
  const id = engine.ids.uuid()
  const now = engine.clock.now()
  await tx.tables<ReviewTables>().insertInto('break_glass_miss').values({ id, user_id: user, at: now }).execute()
  await recordMiss(tx, breaking, key)
  const missed = (await missesSince(tx, user, now - hourMs)).length
  if (missed % missesTold === 0) await tx.publish({ type: 'BreakGlassMissed', miss: id, user })
  return { is: 'missed' }
}

/** Recorded, when they have to wait; null = they need not. */
async function throttle(engine: Engine, tx: TenantTx, breaking: Breaking, key: DataKey): Promise<Outcome | null> {
  const waitMs = await waitOf(engine, tx, breaking.person.id)
  if (waitMs <= 0) return null
  await recordMiss(tx, breaking, key)
  return { is: 'throttled', waitMs }
}

/** What was asked for may be a patient elsewhere: it is sealed, for who reviews. */
const recordMiss = (tx: TenantTx, { person, asked, requestId }: Breaking, key: DataKey): Promise<void> =>
  record(tx, {
    ...{ actor: `staff:${person.id}`, requestId, action: 'search', resource: 'break-glass' },
    ...{ outcome: 'denied', purpose: 'ETREAT', detail: sealDetail(tx, key, asked) },
  })

/** Attempts of one person come one after the other, so that none slips through while others are counted. */
async function waitOf(engine: Engine, tx: TenantTx, user: string): Promise<number> {
  await tx.client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`break-glass ${tx.tenant} ${user}`])
  const now = engine.clock.now()
  const misses = await missesSince(tx, user, now - hourMs)
  const oldest = misses.at(-missesAllowed)
  return oldest === undefined ? 0 : oldest + hourMs - now
}

/** Oldest first, ms since epoch. */
async function missesSince(tx: TenantTx, user: string, since: number): Promise<number[]> {
  const rows = await tx
    .tables<ReviewTables>()
    .selectFrom('break_glass_miss')
    .select('at')
    .where('user_id', '=', user)
    .where('at', '>', String(since))
    .orderBy('at')
    .execute()
  return rows.map(({ at }) => Number(at))
}
