/**
 * Care teams as CareTeam: each by itself, and once more for each of its patients, under the patient's id, because whoever asks for a
 * patient's team asks by `CareTeam?patient=`.
 */
import type { Engine, TenantTx } from '../../engine/index.ts'
import {
  type CareTeamSource,
  careTeamSources,
  patientsOfTeam,
  type SubjectSource,
  subjectIdsAfter,
  subjectSources,
} from '../../subjects/index.ts'
import type { Derived } from '../clinical.ts'
import { type Made, type PatientIds, subjectReference, type View } from './view.ts'
import { concept, organisation, practitioner } from './words.ts'

export const careTeamView = (engine: Engine): View => ({
  name: 'care-teams',
  types: ['CareTeam'],
  facts: ['CareTeamChanged'],
  idsOf: ({ body }) => [(body as { team: string }).team],
  page: (tenant, after, limit) =>
    engine.db.asTenant(tenant, async (tx) => {
      const all = await careTeamSources(tx)
      return all.flatMap(({ id }) => (after === null || id > after ? [id] : [])).slice(0, limit)
    }),
  open: async () => async (tx, ids) => ({
    keep: (await careTeamSources(tx, ids)).map((team) => ({
      resource: { ...teamOf(team, tx), id: team.id, ...participants(team.members.map(practitioner)) },
      ...{ subject: null, at: team.changedAt },
    })),
  }),
})

export const patientTeamView = (engine: Engine, clinical: PatientIds): View => ({
  name: 'patient-care-teams',
  types: ['CareTeam'],
  facts: ['SubjectChanged', 'CareTeamChanged'],
  idsOf: ({ tenant, body }) =>
    'team' in body
      ? engine.db.asTenant(tenant, (tx) => patientsOfTeam(tx, (body as { team: string }).team))
      : [(body as { subject: string }).subject],
  page: (tenant, after, limit) => engine.db.asTenant(tenant, (tx) => subjectIdsAfter(tx, after, limit)),
  open: async () => async (tx, ids) => {
    const patients = (await subjectSources(engine, tx, ids)).filter(({ kind }) => kind === 'patient')
    const teams = new Map(
      (
        await careTeamSources(
          tx,
          patients.flatMap(({ team }) => team ?? []),
        )
      ).map((each) => [each.id, each]),
    )
    const made = { keep: [] as Derived[], drop: [] as { type: string; id: string; at: number }[] }
    for (const patient of patients) {
      const team = patient.team === null ? undefined : teams.get(patient.team)
      if (team === undefined) made.drop.push({ type: 'CareTeam', id: patient.id, at: patient.updatedAt })
      else made.keep.push(await ofPatient(clinical, tx, patient, team))
    }
    return made satisfies Made
  },
})

async function ofPatient(
  clinical: PatientIds,
  tx: TenantTx,
  patient: SubjectSource,
  team: CareTeamSource,
): Promise<Derived> {
  const subject = await subjectReference(clinical, tx, patient)
  const members = [...team.members.map(practitioner), { reference: `CareTeam/${team.id}` }]
  return {
    resource: { ...teamOf(team, tx), id: patient.id, subject, ...participants(members) },
    subject: patient.id,
    at: Math.max(patient.updatedAt, team.changedAt),
  }
}

/** An empty list is no FHIR. */
const participants = (members: readonly { reference: string }[]) =>
  members.length === 0 ? {} : { participant: members.map((member) => ({ member })) }

const teamOf = ({ name }: CareTeamSource, { tenant }: TenantTx) => ({
  ...{ resourceType: 'CareTeam', status: 'active', name },
  category: [
    concept({
      ...{ system: 'http://loinc.org', code: 'LA27977-0', display: 'Longitudinal care-coordination focused care team' },
    }),
  ],
  managingOrganization: [organisation(tenant)],
})
