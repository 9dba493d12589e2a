/**
 * Accounts of patients and caregivers, at the chart: who may see the patient invites them, and takes it back. The patient's account
 * sees the patient from its first moment on; a caregiver's sees nobody until a consent says so.
 */
import {
  ActivatePerson,
  Id,
  InvitePerson,
  type InvitePerson as Inviting,
  PersonAccountList,
  PersonInvited,
} from '@careloop/contract'
import { z } from 'zod'
import type { Engine } from '../engine/index.ts'
import { defineRoute, type Identity, type Persons, type Route } from '../identity/index.ts'
import { assertPerson, audited, type By, byOf } from './by.ts'
import { subjectFailure } from './errors.ts'
import { assertLasting, assertSubject } from './sight.ts'
import { endSight, grantSight } from './sight-grants.ts'
import type { Subjects } from './subjects.ts'

const byId = z.object({ id: Id })
const once = { headers: { 'cache-control': 'no-store' } }

interface Rooms {
  readonly engine: Engine
  readonly subjects: Pick<Subjects, 'subject'>
  readonly identity: Pick<Identity, 'persons'>
}

export function personRoutes(rooms: Rooms): Route[] {
  const { engine, identity } = rooms
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/subjects/:id/accounts',
      summary: 'Accounts and invitations of a patient and of those who care for them',
      policy: { action: 'read', resource: 'person-account' },
      params: byId,
      response: { 200: PersonAccountList },
      async handler(ctx) {
        const asker = byOf(ctx.principal, ctx.requestId, 'person-account', 'read')
        return ctx.reply(200, { items: await listAccounts(engine, identity.persons, asker, ctx.params.id) })
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/subjects/:id/accounts',
      summary: 'Invite a patient, or somebody who cares for them, by a code on paper; it is answered once',
      policy: { action: 'create', resource: 'person-account' },
      params: byId,
      body: InvitePerson,
      response: { 201: PersonInvited },
      async handler(ctx) {
        const asker = byOf(ctx.principal, ctx.requestId, 'person-account', 'create')
        return ctx.reply(201, await invite(rooms, asker, ctx.params.id, ctx.body), once)
      },
    }),
    defineRoute({
      method: 'DELETE',
      url: '/api/v1/subjects/:id/accounts/:account',
      summary: 'End an account and its sessions, or take an invitation back',
      policy: { action: 'delete', resource: 'person-account' },
      params: z.object({ id: Id, account: Id }),
      response: { 204: 'empty' },
      async handler(ctx) {
        const asker = byOf(ctx.principal, ctx.requestId, 'person-account', 'delete')
        await endAccount(engine, identity.persons, asker, ctx.params)
        return ctx.reply(204, undefined)
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/auth/person/activate',
      summary:
        'Make the account of a patient or caregiver with the code on paper and the patient’s date of birth; then sign in',
      tag: 'sign-in',
      policy: 'public',
      perMinute: 20,
      body: ActivatePerson,
      maxBodyBytes: 8192,
      response: { 204: 'empty' },
      async handler(ctx) {
        await activate(engine, identity.persons, ctx.body, ctx)
        return ctx.reply(204, undefined)
      },
    }),
  ]
}

async function listAccounts(engine: Engine, persons: Persons, by: By, subject: string) {
  await engine.db.asTenant(by.tenant, async (tx) => {
    await assertSubject(tx, subject, '/params/id', by.sight)
    await audited(tx, by, 'read', 'person-account', { subjects: [subject] })
  })
  return persons.of(by.tenant, subject)
}

/** @throws Failure `person-needed`, `subject-not-found`, `sight-temporary`, `subject-kind-refused`, `birth-date-missing` */
async function invite({ engine, subjects, identity }: Rooms, by: By, id: string, wanted: Inviting) {
  assertPerson(by, 'Whom a patient lets in is said at the bedside.')
  const { resource } = await subjects.subject(by, id)
  if (resource.resourceType !== 'Patient')
    throw subjectFailure('subject-kind-refused', 'Only patients, and those who care for them, have accounts.')
  const { birthDate } = resource
  if (birthDate === undefined || birthDate.length !== 10)
    throw subjectFailure(
      'birth-date-missing',
      'Enter the patient’s whole date of birth first: it is asked with the code.',
    )
  return engine.db.asEngine(async (tx) => {
    await tx.asTenant(by.tenant, (tenantTx) => assertLasting(tenantTx, id, '/params/id', by.sight))
    return identity.persons.invite(tx, by.tenant, {
      ...{ subject: id, kind: wanted.kind, relationship: wanted.relationship ?? null, birthDate, by },
    })
  })
}

/** @throws Failure `subject-not-found`, `sight-temporary` */
async function endAccount(
  engine: Engine,
  persons: Persons,
  by: By,
  { id: subject, account }: { id: string; account: string },
) {
  await engine.db.asEngine(async (tx) => {
    await tx.asTenant(by.tenant, (tenantTx) => assertLasting(tenantTx, subject, '/params/id', by.sight))
    await persons.end(tx, by.tenant, { subject, id: account, by })
    const ending = {
      why: 'self',
      source: account,
      at: engine.clock.now(),
      actor: by.actor,
      requestId: by.requestId,
    } as const
    await tx.asTenant(by.tenant, (tenantTx) => endSight(tenantTx, ending))
  })
}

const activate = (
  engine: Engine,
  persons: Persons,
  shown: ActivatePerson,
  peer: { readonly ip: string; readonly requestId: string },
): Promise<void> =>
  persons.activate(shown, peer, async (tx, { kind, account, user, subject }) => {
    if (kind !== 'patient') return
    const { requestId } = peer
    await grantSight(tx, {
      ...{ id: engine.ids.uuid(), subject, user, why: 'self', source: account, from: engine.clock.now() },
      ...{ actor: `staff:${user}`, requestId },
    })
  })
