/** One-time links by which members of staff make their own accounts. */
import { z } from 'zod'
import { Id, Instant } from './common.ts'
import { Role } from './identity.ts'

/** POST /api/v1/invitations */
export const NewInvitation = z.strictObject({ email: z.email().max(254), roles: z.array(Role).min(1) })
export type NewInvitation = z.infer<typeof NewInvitation>

export const Invitation = z
  .object({
    id: Id,
    email: z.string(),
    roles: z.array(Role),
    createdAt: Instant,
    expiresAt: Instant,
    /** `waiting` can be accepted. */
    state: z.enum(['waiting', 'expired', 'accepted', 'revoked']),
    /** When the mail server took the link; null = it was not sent by mail. */
    sentAt: Instant.nullable(),
  })
  .meta({ id: 'Invitation' })
export type Invitation = z.infer<typeof Invitation>
export const InvitationList = z.object({ items: z.array(Invitation) })
export type InvitationList = z.infer<typeof InvitationList>

/** The link's path with its token behind `#`, answered once. */
export const InvitationMade = z
  .object({
    id: Id,
    path: z.string(),
    expiresAt: Instant,
    /** It also goes out by e-mail. */
    isMailed: z.boolean(),
  })
  .meta({ id: 'InvitationMade' })
export type InvitationMade = z.infer<typeof InvitationMade>

const Token = z.string().min(8).max(200)

/** POST /api/auth/invitation/look */
export const InvitationToken = z.strictObject({ token: Token })
export const InvitationShown = z
  .object({
    organisation: z.string(),
    email: z.string(),
    roles: z.array(Role),
    /** The role demands one: it is set up right after. */
    needsSecondFactor: z.boolean(),
  })
  .meta({ id: 'InvitationShown' })
export type InvitationShown = z.infer<typeof InvitationShown>

/** POST /api/auth/invitation/accept */
export const AcceptInvitation = z.strictObject({
  token: Token,
  displayName: z.string().trim().min(1).max(200),
  password: z.string().min(1).max(1024),
})
export type AcceptInvitation = z.infer<typeof AcceptInvitation>
