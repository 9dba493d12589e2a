import type { Role } from '@careloop/contract'
import type { Resource } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aFridge, aPatient, byTest } from '../../subjects/fixtures.ts'
import { makeClinical } from '../make-clinical.ts'
import { type FhirGround, fhirGround } from '../testing/fhir-ground.ts'
import { servedTypes } from '../types.ts'

const roles = [
  'nurse',
  'physician',
  'pharmacist',
  'facilities',
  'biomed',
  'administrator',
  'compliance',
  'integrator',
] as const
type Whose = 'own' | 'other' | 'thing' | 'nobody' | 'tenant'

/**
 * Who reads what, one letter for each role in the order above: `+` shown, `-` not found, word for word as what does not exist, `x`
 * refused for the role. Three words: of a patient of one's own care team, of a refrigerator, of no subject. Of another team's patient
 * and of another organisation nothing is there for anybody: that needs no table.
 */
const readable: Readonly<Record<string, string>> = {
  Binary: '++----xx ++++++xx ++----xx',
  Bundle: '++----xx ++++++xx ++----xx',
  CarePlan: '++----xx ++++++xx ++----xx',
  CareTeam: '++------ ++++++++ ++++++++',
  Communication: '++----x- ++++++x+ ++----x-',
  Consent: '++xxx-xx --xxx+xx ++xxx-xx',
  DetectedIssue: '++----x- ++++++x+ ++----x-',
  Device: '++----x- ++++++x+ ++++++x+',
  DeviceMetric: '++----x- ++++++x+ ++++++x+',
  DeviceUseStatement: '++----x- ++++++x+ ++----x-',
  Encounter: '++----xx ++++++xx ++----xx',
  Flag: '++----x- ++++++x+ ++----x-',
  Goal: '++----xx ++++++xx ++----xx',
  Group: '++----xx ++++++xx ++----xx',
  Location: '++----x- ++++++x+ ++++++x+',
  Observation: '++----xx ++++++xx ++----xx',
  OperationOutcome: 'xxxxx--- xxxxx+++ xxxxx+++',
  Organization: '++------ ++++++++ ++++++++',
  Patient: '++----x- ++++++x+ ++----x-',
  PlanDefinition: '++------ ++++++++ ++++++++',
  Practitioner: '++------ ++++++++ ++++++++',
  PractitionerRole: '++------ ++++++++ ++++++++',
  Provenance: '++----xx ++++++xx ++----xx',
  Questionnaire: '++------ ++++++++ ++++++++',
  QuestionnaireResponse: '++----xx ++++++xx ++----xx',
  RelatedPerson: '++----x- ++++++x+ ++----x-',
  ServiceRequest: '++----x- ++++++x+ ++----x-',
  Subscription: 'xxxxx--- xxxxx+++ xxxxx+++',
  Task: '++----x- ++++++x+ ++----x-',
}

let ground: FhirGround
const cookies = new Map<Role, string>()
/** Id of a resource of each type and owner. */
const idOf = (type: string, whose: Whose) => `${whose}-${type}`.toLowerCase()

beforeAll(async () => {
  ground = await fhirGround()
  const { shell, subjects, room } = ground
  const by = byTest(shell.tenant)
  const people: string[] = []
  for (const role of roles) {
    const signed = await shell.signIn([role])
    cookies.set(role, signed.cookie)
    people.push(signed.id)
  }
  const mine = await subjects.createCareTeam(by, { name: 'Team A', members: people.slice(0, 2) })
  const theirs = await subjects.createCareTeam(by, { name: 'Team B', members: [] })
  const owners: Record<Whose, string | null> = {
    own: (await subjects.create(by, { ...aPatient(), team: mine.id })).id,
    other: (await subjects.create(by, { ...aPatient(), team: theirs.id })).id,
    thing: (await subjects.create(by, aFridge())).id,
    ...{ nobody: null, tenant: null },
  }
  const elsewhere = await shell.identity.createTenant('Another house')
  const clinical = makeClinical(room)
  for (const [whose, subject] of Object.entries(owners) as [Whose, string | null][])
    await shell.engine.db.asTenant(whose === 'tenant' ? elsewhere : shell.tenant, (tx) =>
      clinical.keepDerived(
        tx,
        Object.keys(servedTypes).map((resourceType) => ({
          resource: { resourceType, id: idOf(resourceType, whose) } as Resource,
          ...{ subject, at: shell.clock.now() },
        })),
      ),
    )
})
afterAll(() => ground?.close())

const ask = (role: Role, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object) =>
  ground.ask(method, path, body, { cookie: cookies.get(role)!, 'sec-fetch-site': 'same-origin' })

async function lineOf(type: string, whose: Whose): Promise<string> {
  const letters = { 200: '+', 403: 'x', 404: '-' } as Record<number, string>
  const answers = await Promise.all(roles.map((role) => ask(role, 'GET', `/${type}/${idOf(type, whose)}`)))
  return answers.map(({ statusCode }) => letters[statusCode] ?? String(statusCode)).join('')
}

describe('who reads what of the record', () => {
  test('by role, type and owner, as the table says', async () => {
    const found: Record<string, string> = {}
    for (const type of Object.keys(servedTypes)) {
      // Served from the trail itself.
      if (type === 'AuditEvent') continue
      const words = []
      for (const whose of ['own', 'thing', 'nobody'] as const) words.push(await lineOf(type, whose))
      found[type] = words.join(' ')
    }
    expect(found).toEqual(readable)
  }, 60_000)

  test("nobody sees anything of another team's patient or of another organisation: word for word as what is not there", async () => {
    const wrong: string[] = []
    for (const type of Object.keys(servedTypes))
      for (const whose of ['other', 'tenant'] as const)
        for (const role of roles) {
          const nothing = await ask(role, 'GET', `/${type}/no-such-one`)
          const { statusCode, body } = await ask(role, 'GET', `/${type}/${idOf(type, whose)}`)
          if (statusCode !== nothing.statusCode || body !== nothing.body)
            wrong.push(`${type} of ${whose} for ${role}: ${statusCode}`)
        }
    expect(wrong).toEqual([])
  }, 60_000)

  test('who writes of a patient is attached to them: of another one it fails as of nobody, and nothing is changed by guessing ids', async () => {
    const spo2 = (reference: string) => ({
      ...{ resourceType: 'Observation', status: 'final', code: { text: 'SpO2' }, subject: { reference } },
    })
    const post = (role: Role, reference: string) => ask(role, 'POST', '/Observation', spo2(reference))
    expect((await post('nurse', `Patient/${idOf('Patient', 'own')}`)).statusCode).toBe(201)
    const unknown = await post('nurse', 'Patient/no-such-one')
    const other = await post('nurse', `Patient/${idOf('Patient', 'other')}`)
    expect([other.statusCode, other.body]).toEqual([422, unknown.body])
    for (const role of ['facilities', 'biomed', 'compliance', 'integrator'] as const)
      expect([role, (await post(role, `Patient/${idOf('Patient', 'own')}`)).statusCode >= 400]).toEqual([role, true])
    const id = idOf('Observation', 'other')
    const put = await ask('nurse', 'PUT', `/Observation/${id}`, { ...spo2(`Patient/${idOf('Patient', 'own')}`), id })
    expect([put.statusCode, (await ask('nurse', 'DELETE', `/Observation/${id}`)).statusCode]).toEqual([404, 403])
  })
})
