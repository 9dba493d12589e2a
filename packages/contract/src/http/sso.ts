/** Sign-in at an organisation's own identity provider (OpenID Connect), as an administrator sets it up. */
import { z } from 'zod'
import { Id, Instant } from './common.ts'
import { Role } from './identity.ts'

const Words = z.string().trim().min(1).max(200)

/** In the address of the sign-in link: `?org=st-anna`. */
export const ProviderSlug = z
  .string()
  .min(2)
  .max(48)
  .regex(/^[a-z0-9](-?[a-z0-9])+$/, 'Small letters, digits and single hyphens are expected.')

/** Whoever has the group has the roles. Who has no group of the list does not get in. */
export const GroupRoles = z.strictObject({ group: Words, roles: z.array(Role).min(1) })

/** PUT /api/v1/identity-provider */
export const SetIdentityProvider = z.strictObject({
  slug: ProviderSlug,
  /** On the button of the sign-in page. */
  name: Words,
  /** As the provider's discovery document says it: `https://login.example.org/realms/staff`. */
  issuer: z.url().max(500),
  clientId: z.string().trim().min(1).max(500),
  /** Left out: the one that is kept stays; null: a public client, held by PKCE alone. */
  clientSecret: z.string().min(1).max(1000).nullable().optional(),
  groupsClaim: Words.default('groups'),
  roleMap: z.array(GroupRoles).min(1).max(200),
  /** Empty = any. */
  emailDomains: z
    .array(
      z
        .string()
        .trim()
        .toLowerCase()
        .max(253)
        .regex(/^([a-z0-9-]+\.)+[a-z0-9-]+$/, 'A domain is expected, such as example.org.'),
    )
    .max(50)
    .default([]),
  /** Whether somebody whose e-mail the provider has verified goes on under the account of that e-mail which is here already. */
  linkExisting: z.boolean().default(false),
  /** Values of `acr` or `amr` that count as a second factor; none = Careloop asks for its own where the role demands one. */
  mfaAcr: z.array(Words).max(20).default([]),
  mfaAmr: z.array(Words).max(20).default([]),
  isEnabled: z.boolean().default(true),
})
export type SetIdentityProvider = z.infer<typeof SetIdentityProvider>

export const IdentityProvider = SetIdentityProvider.omit({ clientSecret: true })
  .extend({
    id: Id,
    hasSecret: z.boolean(),
    updatedAt: Instant,
    /** To be entered at the provider; null until the operator has said where browsers reach Careloop. */
    redirectUri: z.string().nullable(),
    logoutUri: z.string().nullable(),
  })
  .meta({ id: 'IdentityProvider' })
export type IdentityProvider = z.infer<typeof IdentityProvider>

/** What the sign-in page shows. */
export const SsoButton = z.object({ slug: z.string(), name: z.string() }).meta({ id: 'SsoButton' })
export type SsoButton = z.infer<typeof SsoButton>
