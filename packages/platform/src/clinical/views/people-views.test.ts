/** Staff and caregivers as FHIR, of accounts as they are really made: valid, and over when they are. */
import { type Relationship, roles } from '@careloop/contract'
import { validate } from '@careloop/fhir'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { settledFacts } from '../../engine/testing/index.ts'
import { makeClinical } from '../make-clinical.ts'
import { type FhirGround, fhirGround } from '../testing/fhir-ground.ts'
import { takeViews } from './follow-views.ts'
import type { KeepingViews } from './keep-views.ts'
import { ownViews } from './own-views.ts'
import { takeUntold } from './views-stage.ts'

let ground: FhirGround
let keeping: KeepingViews
beforeAll(async () => {
  ground = await fhirGround()
  const clinical = makeClinical(ground.room)
  keeping = { clinical, views: ownViews(ground.shell.engine, clinical) }
})
afterAll(() => ground?.close())

const follow = async () => {
  const { engine } = ground.shell
  await settledFacts(engine)
  while (await takeViews(engine, keeping));
  await takeUntold(engine, keeping, { since: 0, until: engine.clock.now() })
}
const read = async (path: string) => {
  const answer = await ground.get(path)
  expect(answer.statusCode, path).toBe(200)
  const resource = answer.json()
  expect(validate(resource).filter(({ severity }) => severity === 'error' || severity === 'fatal')).toEqual([])
  return resource
}

test('views > staff of every role are a Practitioner and a PractitionerRole, valid also when they have left', async () => {
  const { identity, tenant } = ground.shell
  const all = await Promise.all(
    [roles, ...roles.map((role) => [role])].map((own, at) =>
      identity.createUser({ tenant, email: `staff-${at}@clinic.example`, displayName: `Staff ${at}`, roles: own }),
    ),
  )
  await follow()
  for (const [at, { id }] of all.entries()) {
    expect(await read(`/Practitioner/${id}`)).toMatchObject({ active: true, name: [{ text: `Staff ${at}` }] })
    const role = await read(`/PractitionerRole/${id}`)
    expect(role.practitioner).toEqual({ reference: `Practitioner/${id}` })
    expect(role.code).toHaveLength(at === 0 ? roles.length : 1)
  }
  const nurse = all[1 + roles.indexOf('nurse')]!
  await identity.endMembership(tenant, nurse.id)
  await follow()
  expect(await read(`/Practitioner/${nurse.id}`)).toMatchObject({ active: false })
  const over = await read(`/PractitionerRole/${nurse.id}`)
  expect([over.active, typeof over.period.end]).toEqual([false, 'string'])
})

test('views > a caregiver of every relationship is a RelatedPerson of their patient, valid also when it is over', async () => {
  const { engine, identity, tenant } = ground.shell
  const subject = await ground.patient()
  const by = { actor: 'cli' }
  const birthDate = '1947-02-11'
  const every: (Relationship | null)[] = [
    ...(['partner', 'parent', 'child', 'sibling', 'friend', 'guardian', 'professional', 'other'] as const),
    null,
  ]
  const ids: string[] = []
  for (const [at, relationship] of every.entries()) {
    const { id, code } = await engine.db.asEngine((tx) =>
      identity.persons.invite(tx, tenant, { subject, kind: 'caregiver', relationship, birthDate, by }),
    )
    const shown = { login: `care-${at}@example.org`, name: `Caregiver ${at}`, password: 'seven quiet owls on a wire' }
    const peer = { ip: '127.0.0.1', requestId: 'test' }
    await identity.persons.activate({ code, birthDate, ...shown }, peer, async () => {})
    ids.push(id)
  }
  await follow()
  for (const [at, id] of ids.entries()) {
    const person = await read(`/RelatedPerson/${id}`)
    expect(person).toMatchObject({ active: true, patient: { reference: `Patient/${subject}` } })
    expect(person.name).toEqual([{ text: `Caregiver ${at}` }])
    expect(person.relationship?.[0].text).toBe(every[at] ?? undefined)
  }
  await engine.db.asEngine((tx) => identity.persons.end(tx, tenant, { subject, id: ids[0]!, by }))
  await follow()
  const over = await read(`/RelatedPerson/${ids[0]}`)
  expect([over.active, typeof over.period.end]).toEqual([false, 'string'])
})
