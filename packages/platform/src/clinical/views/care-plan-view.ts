/** Enrolments of patients as CarePlan: which program they are in, who answers for it, since when. */
import type { Engine } from '../../engine/index.ts'
import { type EnrolmentSource, enrolmentIdsAfter, enrolmentSources, enrolmentsEnded } from '../../subjects/index.ts'
import type { Derived } from '../clinical.ts'
import { type PatientIds, subjectReference, type View } from './view.ts'
import { iso, period, practitioner, systems } from './words.ts'

export const carePlanView = (engine: Engine, clinical: PatientIds): View => ({
  name: 'care-plans',
  types: ['CarePlan'],
  // Whose team it is stands in the plan.
  facts: ['EnrolmentChanged', 'SubjectChanged'],
  idsOf: ({ tenant, body }) =>
    'enrolment' in body
      ? [(body as { enrolment: string }).enrolment]
      : engine.db.asTenant(tenant, async (tx) => {
          const { rows } = await tx.client.query<{ id: string }>(
            'select id from tenant.enrolment where tenant_id = $1 and subject_id = $2 order by id',
            [tenant, (body as { subject: string }).subject],
          )
          return rows.map(({ id }) => id)
        }),
  page: (tenant, after, limit) => engine.db.asTenant(tenant, (tx) => enrolmentIdsAfter(tx, after, limit)),
  changed: (tenant, since, until) => engine.db.asTenant(tenant, (tx) => enrolmentsEnded(tx, since, until)),
  open: async () => async (tx, ids) => {
    const keep: Derived[] = []
    for (const enrolment of await enrolmentSources(tx, ids)) {
      // R4 has plans of patients only; of a refrigerator the program stands in its alerts.
      if (enrolment.kind !== 'patient') continue
      const { reference } = await subjectReference(clinical, tx, { id: enrolment.subject, kind: 'patient' })
      keep.push(planOf(enrolment, reference, engine.clock.now()))
    }
    return { keep }
  },
})

function planOf(enrolment: EnrolmentSource, patient: string, now: number): Derived {
  const { id, subject, program, owner, backup, from, to, team, createdAt, changedAt } = enrolment
  const isOver = to !== null && to <= now
  const resource = {
    ...{ resourceType: 'CarePlan', id, identifier: [{ system: 'urn:careloop:enrolment', value: id }] },
    instantiatesCanonical: [`${systems.program}:${program}`],
    ...{ status: isOver ? 'completed' : 'active', intent: 'plan' },
    subject: { reference: patient },
    ...{ period: period(from, to), created: iso(createdAt), author: practitioner(owner) },
    contributor: [owner, ...(backup === null ? [] : [backup])].map(practitioner),
    ...(team === null ? {} : { careTeam: [{ reference: `CareTeam/${subject}` }] }),
  }
  return { resource, subject, program, at: isOver ? Math.max(to, changedAt) : changedAt }
}
