/** Apps that speak FHIR by SMART App Launch: registered by administrators, allowed by whoever uses them. */
import { z } from 'zod'
import { Id, Instant } from './common.ts'

/** How an app proves who it is: not at all (PKCE alone), by a secret, by a key of its own (private_key_jwt). */
export const AppKind = z.enum(['public', 'symmetric', 'asymmetric'])
export type AppKind = z.infer<typeof AppKind>

const Url = z.string().min(1).max(2_000)
const ScopeText = z.string().min(1).max(500)
/** RFC 7517. Only public parts are taken. */
export const AppKeys = z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1).max(20) })

const settings = {
  name: z.string().trim().min(1).max(100),
  /** Each is compared letter by letter: https, or http on the person's own machine. None: a backend service. */
  redirectUris: z.array(Url).max(20).default([]),
  /** Where a patient's page opens it; left out: it is opened by itself. */
  launchUrl: Url.nullable().default(null),
  /** The most that it can be granted: `patient/Observation.rs`, `launch/patient`, `openid`, `fhirUser`, `offline_access`... */
  scopes: z.array(ScopeText).min(1).max(100),
  /** Of an app with keys: where it publishes them, or the keys themselves. */
  jwksUri: Url.nullable().default(null),
  jwks: AppKeys.nullable().default(null),
}

/** POST /api/v1/apps */
export const NewApp = z.strictObject({ kind: AppKind, ...settings })
export type NewApp = z.output<typeof NewApp>
export type NewAppInput = z.input<typeof NewApp>

/** PUT /api/v1/apps/{id}: in place of the settings before; tokens that it narrows are good for what is left. */
export const SetApp = z.strictObject({ ...settings, isEnabled: z.boolean() })
export type SetApp = z.output<typeof SetApp>
export type SetAppInput = z.input<typeof SetApp>

export const AppBody = z
  .object({
    /** The client id. */
    id: Id,
    name: z.string(),
    kind: AppKind,
    redirectUris: z.array(z.string()),
    launchUrl: z.string().nullable(),
    scopes: z.array(z.string()),
    jwksUri: z.string().nullable(),
    jwks: AppKeys.nullable(),
    createdAt: Instant,
    /** From then on none of its tokens opens anything. */
    disabledAt: Instant.nullable(),
  })
  .meta({ id: 'App' })
export type AppBody = z.infer<typeof AppBody>

/** GET /api/v1/apps, with what an integrator needs to be told. */
export const AppList = z.object({ items: z.array(AppBody), fhirUrl: z.string().nullable() })

/** The secret is answered once, and kept as a hash. */
export const AppMade = z.object({ app: AppBody, secret: z.string().nullable() })
export type AppMade = z.infer<typeof AppMade>

/** GET /api/v1/launchable-apps: what a patient's page can open. */
export const LaunchableApps = z.object({ items: z.array(z.object({ id: Id, name: z.string() })) })

/** POST /api/v1/apps/{id}/launch */
export const LaunchApp = z.strictObject({ subject: Id })
export const AppLaunch = z.object({ url: z.string() })

/** What an app sent a person here with, word for word: the query of the address. */
const AuthorizationQuery = z.string().max(8_000)

/** POST /api/v1/authorizations/look */
export const LookAtAuthorization = z.strictObject({ query: AuthorizationQuery })

/** `back`: something is wrong, and the app is told there. `ask`: the person decides. */
export const AuthorizationShown = z.discriminatedUnion('next', [
  z.object({ next: z.literal('back'), redirect: z.string() }),
  z.object({
    next: z.literal('ask'),
    app: z.object({ id: Id, name: z.string(), host: z.string() }),
    /** All that would be granted; fewer can be. */
    scopes: z.array(z.string()),
    /** `chosen`: the launch named the patient. `choose`: the person does. */
    patient: z.enum(['none', 'chosen', 'choose']),
    /** Of a launch: who it is, as the person's own pages name them. */
    subject: Id.optional(),
    /** Of a patient or caregiver: whom they can choose. */
    choices: z.array(z.object({ id: Id, display: z.string() })).optional(),
  }),
])
export type AuthorizationShown = z.infer<typeof AuthorizationShown>

/** POST /api/v1/authorizations */
export const DecideAuthorization = z.strictObject({
  query: AuthorizationQuery,
  isAllowed: z.boolean(),
  /** Those that the person left; absent: all that were shown. */
  scopes: z.array(ScopeText).max(100).optional(),
  subject: Id.optional(),
})
export type DecideAuthorization = z.input<typeof DecideAuthorization>
export const AuthorizationDecided = z.object({ redirect: z.string() })

/** GET /api/v1/my-apps */
export const OwnAppGrant = z
  .object({
    id: Id,
    app: z.object({ id: Id, name: z.string() }),
    scopes: z.array(z.string()),
    subject: Id.nullable(),
    isOffline: z.boolean(),
    createdAt: Instant,
    expiresAt: Instant,
  })
  .meta({ id: 'OwnAppGrant' })
export type OwnAppGrant = z.infer<typeof OwnAppGrant>
export const OwnAppGrants = z.object({ items: z.array(OwnAppGrant) })
