/** Emergency access as `workflow` holds it. */
import type { BreakGlass, BreakGlassAccess, BreakGlassList, BreakGlassSetting } from '@careloop/contract'
import { record } from '../../audit/index.ts'
import type { Engine } from '../../engine/index.ts'
import type { StaffPrincipal } from '../../identity/index.ts'
import { endSight, type Subjects } from '../../subjects/index.ts'
import { workflowFailure } from '../errors.ts'
import type { ReviewTables } from '../reviews/schema.ts'
import { standingOf } from './access-rows.ts'
import { openAccess } from './open-access.ts'
import { readSetting, writeSetting } from './setting.ts'

export interface BreakingGlass {
  /** @throws Failure `break-glass-clinician`, `break-glass-not-found`, `break-glass-needless`, `break-glass-throttled` */
  open(person: StaffPrincipal, asked: BreakGlass, requestId: string): Promise<BreakGlassAccess>
  /** One's own that stand now, and how long one would stand. */
  own(person: StaffPrincipal): Promise<BreakGlassList>
  /** Gives one's own back before its time. @throws Failure `break-glass-over` */
  end(person: StaffPrincipal, id: string, requestId: string): Promise<void>
  setting(tenant: string): Promise<BreakGlassSetting>
  /** @throws Failure `setting-moved` */
  set(tenant: string, wanted: BreakGlassSetting, by: { actor: string; requestId: string }): Promise<BreakGlassSetting>
}

export const makeBreakGlass = (engine: Engine, subjects: Pick<Subjects, 'exactPatient'>): BreakingGlass => ({
  open: (person, asked, requestId) => openAccess(engine, subjects, { person, asked, requestId }),
  own: ({ tenant, id }) =>
    engine.db.asTenant(tenant, async (tx) => ({
      items: await standingOf(tx, id, engine.clock.now()),
      hours: (await readSetting(tx)).hours,
    })),
  end: (person, id, requestId) => endAccess(engine, person, id, requestId),
  setting: (tenant) => engine.db.asTenant(tenant, readSetting),
  set: (tenant, wanted, by) => engine.db.asTenant(tenant, (tx) => writeSetting(tx, wanted, by)),
})

async function endAccess(engine: Engine, person: StaffPrincipal, id: string, requestId: string): Promise<void> {
  const now = engine.clock.now()
  await engine.db.asTenant(person.tenant, async (tx) => {
    const ended = await tx
      .tables<ReviewTables>()
      .updateTable('break_glass')
      .set({ ended_at: now })
      .where('id', '=', id)
      .where('user_id', '=', person.id)
      .where('until_at', '>', String(now))
      .where('ended_at', 'is', null)
      .returning('subject_id')
      .executeTakeFirst()
    if (ended === undefined)
      throw workflowFailure('break-glass-over', 'No emergency access of yours with this id stands any more.', {
        pointer: '/params/id',
      })
    const by = { actor: `staff:${person.id}`, requestId }
    await endSight(tx, { why: 'break-glass', source: id, at: now, ...by })
    await record(tx, {
      ...by,
      action: 'revoke',
      resource: 'break-glass',
      id,
      subject: ended.subject_id,
      purpose: 'ETREAT',
    })
  })
}
