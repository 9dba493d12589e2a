/** People of an organisation, for administrators. Nobody changes what is more than they hold themselves. */
import { Id, NewUser, OnePassword, User, UserRoles } from '@careloop/contract'
import { z } from 'zod'
import { by } from './asked-by.ts'
import { fail } from './errors.ts'
import { assertMayGrantRoles } from './grant.ts'
import type { Identity } from './identity.ts'
import type { PersonOrService } from './principal.ts'
import { defineRoute, type Route } from './route.ts'

const byId = z.object({ id: Id })
const secret = { headers: { 'cache-control': 'no-store' } }

export const peopleRoutes = (identity: Identity): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/users',
    summary: 'Everybody of this organisation',
    policy: { action: 'read', resource: 'user' },
    response: { 200: z.object({ items: z.array(User) }) },
    async handler(ctx) {
      const members = await identity.members(ctx.tenant)
      return ctx.reply(200, { items: members.map((member) => ({ ...member, roles: [...member.roles] })) })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/users',
    summary: 'Add a member of staff; a password that is made here is answered once',
    policy: { action: 'create', resource: 'user' },
    stepUp: true,
    body: NewUser,
    response: { 201: z.object({ id: Id, password: z.string().optional() }) },
    async handler(ctx) {
      assertMayGrantRoles(ctx.principal, ctx.body.roles)
      const { password, ...person } = ctx.body
      const wanted = {
        ...person,
        tenant: ctx.tenant,
        isHandedOver: true,
        ...(password === undefined ? {} : { password }),
      }
      return ctx.reply(201, await identity.createUser(wanted, by(ctx)), secret)
    },
  }),
  defineRoute({
    method: 'PUT',
    url: '/api/v1/users/:id/roles',
    summary: 'Give a member other roles; they hold from the next request on',
    policy: { action: 'update', resource: 'user' },
    stepUp: true,
    params: byId,
    body: UserRoles,
    response: { 204: 'empty' },
    async handler(ctx) {
      assertOther(ctx.principal, ctx.params.id, 'Your own roles are changed by another administrator.')
      await assertNotAbove(identity, ctx.principal, ctx.params.id)
      assertMayGrantRoles(ctx.principal, ctx.body.roles)
      await identity.setRoles(ctx.tenant, ctx.params.id, ctx.body.roles, by(ctx))
      return ctx.reply(204, undefined)
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/users/:id/password',
    summary: 'A new password for who has forgotten theirs, answered once; their sessions end',
    policy: { action: 'update', resource: 'user' },
    stepUp: true,
    params: byId,
    response: { 200: OnePassword },
    async handler(ctx) {
      assertOther(ctx.principal, ctx.params.id, 'Your own password is changed on your account page.')
      const { email } = await assertNotAbove(identity, ctx.principal, ctx.params.id)
      const { password } = await identity.renewPassword(ctx.tenant, email, by(ctx))
      return ctx.reply(200, { password }, secret)
    },
  }),
  defineRoute({
    method: 'DELETE',
    url: '/api/v1/users/:id/second-factor',
    summary: 'Take a lost second factor off a member; their sessions end, and a role that demands one enrols anew',
    policy: { action: 'update', resource: 'user' },
    stepUp: true,
    params: byId,
    response: { 204: 'empty' },
    async handler(ctx) {
      assertOther(ctx.principal, ctx.params.id, 'Your own second factor is changed on your account page.')
      await assertNotAbove(identity, ctx.principal, ctx.params.id)
      await identity.resetSecondFactor(ctx.tenant, ctx.params.id, by(ctx))
      return ctx.reply(204, undefined)
    },
  }),
  defineRoute({
    method: 'DELETE',
    url: '/api/v1/users/:id',
    summary: 'End a membership and its sessions; what the person did stays',
    policy: { action: 'delete', resource: 'user' },
    stepUp: true,
    params: byId,
    response: { 204: 'empty' },
    async handler(ctx) {
      assertOther(ctx.principal, ctx.params.id, 'Another administrator ends your membership.')
      await assertNotAbove(identity, ctx.principal, ctx.params.id)
      await identity.endMembership(ctx.tenant, ctx.params.id, by(ctx))
      return ctx.reply(204, undefined)
    },
  }),
]

/** So that an organisation never loses its last administrator by a slip of their own hand. @throws Failure `not-allowed` */
function assertOther(principal: PersonOrService, id: string, words: string): void {
  if (principal.kind === 'staff' && principal.id === id) throw fail('not-allowed', words, { pointer: '/params/id' })
}

/** Whoever may change people could else become one who may more, by way of their password. @throws Failure `user-not-found`, `not-allowed` */
async function assertNotAbove(identity: Identity, asker: PersonOrService, id: string) {
  const member = (await identity.members(asker.tenant)).find((each) => each.id === id && each.endedAt === null)
  if (member === undefined) throw fail('user-not-found', 'Nobody with this id works here. Read the list again.')
  assertMayGrantRoles(asker, member.roles)
  return member
}
