import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from '../../engine/index.ts'
import { testGround } from '../../engine/testing/index.ts'
import { fhirUserOf } from './fhir-user.ts'

let ground: Awaited<ReturnType<typeof testGround>>
let tenant: string
beforeAll(async () => {
  ground = await testGround()
  tenant = await ground.tenant()
})
afterAll(() => ground?.stop())

async function account(kind: 'patient' | 'caregiver'): Promise<{ id: string; user: string; subject: string }> {
  const [id, user, subject] = [randomUUID(), randomUUID(), randomUUID()]
  await ground.pool.query(
    `insert into auth."user" (id, name, email, email_verified, created_at, updated_at) values ($1, 'x', $2, true, now(), now())`,
    [user, `${user}@x.example`],
  )
  await ground.pool.query(
    `insert into auth.person_account (id, tenant_id, subject_id, kind, birth_hmac, invited_by, created_at, expires_at, user_id, activated_at)
     values ($1, $2, $3, $4, $5, 'cli', now(), now(), $6, now())`,
    [id, tenant, subject, kind, randomBytes(32), user],
  )
  return { id, user, subject }
}

test('smart > the person is a Practitioner, a Patient under the id that FHIR knows, or a RelatedPerson', async () => {
  const engine = ground as unknown as Engine
  const nameOf = (user: string) => fhirUserOf(engine, async (_tenant, subject) => `ehr-${subject}`, tenant, user)
  const [patient, caregiver, staff] = [await account('patient'), await account('caregiver'), randomUUID()]
  expect(await nameOf(staff)).toBe(`Practitioner/${staff}`)
  expect(await nameOf(patient.user)).toBe(`Patient/ehr-${patient.subject}`)
  expect(await nameOf(caregiver.user)).toBe(`RelatedPerson/${caregiver.id}`)
})
