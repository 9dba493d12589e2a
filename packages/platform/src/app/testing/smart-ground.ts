/** A server with apps before it: real sign-in, real patients, a route of FHIR that says who asks. Time is scripted. */
import { createHash, randomBytes } from 'node:crypto'
import { type AppBody, NewApp, type NewAppInput } from '@careloop/contract'
import type { LightMyRequestResponse } from 'fastify'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { z } from 'zod'
import { type ShellOptions, type Signed, type TestShell, testShell } from '../../api/testing/test-shell.ts'
import { defineRoute, scopeText } from '../../identity/index.ts'
import { appAndSmartRoutes } from '../../identity/routes.ts'
import { aPatient, byTest } from '../../subjects/fixtures.ts'
import { makeSubjects, type Subjects } from '../../subjects/index.ts'
import { subjectsRoutes } from '../../subjects/routes.ts'
import { smartWorldOf } from '../smart-world.ts'

export const origin = 'https://care.example.org'
export const fhirUrl = `${origin}/fhir/R4`
export const redirectUri = 'https://app.example.com/back'
const host = 'care.example.org'

/** Who asks, as rooms of FHIR see it. */
const whoAsks = defineRoute({
  method: 'GET',
  url: '/fhir/R4/who-asks',
  summary: 'Who asks',
  policy: 'fhir',
  response: { 200: z.record(z.string(), z.unknown()) },
  handler({ principal, reply }) {
    const { kind, id, app } = principal
    return reply(200, {
      ...{ kind, id, roles: principal.kind === 'staff' ? [...principal.roles] : [...principal.scopes] },
      ...{ client: app?.client ?? null, patient: app?.patient ?? null, scopes: app?.scopes.map(scopeText) ?? null },
      reach: typeof principal.reach === 'object' ? 'some' : (principal.reach ?? 'none'),
    })
  },
})

export interface SmartGround extends TestShell {
  readonly subjects: Subjects
  readonly admin: Signed
  readonly nurse: Signed
  /** In no care team: the nurse sees them. */
  readonly patient: string
  /** In a care team that is not the nurse's. */
  readonly stranger: string
  register(wanted: Partial<NewAppInput>): Promise<{ app: AppBody; secret: string | null }>
  asAdmin(method: 'POST' | 'PUT', url: string, payload: object): Promise<LightMyRequestResponse>
  post(url: string, payload: object, cookie?: string): Promise<LightMyRequestResponse>
  call(method: 'GET' | 'PUT' | 'DELETE', url: string, cookie: string, payload?: object): Promise<LightMyRequestResponse>
  /** An OAuth endpoint, as an app asks it. */
  form(url: string, fields: Readonly<Record<string, string>>, headers?: object): Promise<LightMyRequestResponse>
  whoAsks(token: string): Promise<LightMyRequestResponse>
  /** A person allows all that an app asks for. @returns the code */
  allow(app: AppBody, wanted?: Wanted): Promise<Allowed>
  /** From the question to tokens, of a public app. */
  tokens(app: AppBody, wanted?: Wanted): Promise<{ status: number; body: Tokens }>
}

export interface Wanted {
  readonly scope?: string
  readonly who?: Signed
  readonly subject?: string | undefined
  readonly more?: Readonly<Record<string, string>>
}

export interface Allowed {
  readonly code: string
  readonly verifier: string
  readonly redirect: URL
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
  readonly patient: string
  readonly scope: string
  readonly expires_in: number
  readonly error?: string
}

export const pkce = () => {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

/** As an app writes it behind the authorization endpoint. */
export const queryOf = (
  app: string,
  challenge: string,
  over: Readonly<Record<string, string | undefined>> = {},
): string => {
  const all = {
    ...{ response_type: 'code', client_id: app, redirect_uri: redirectUri, state: 'st-4711', aud: fhirUrl },
    ...{ scope: 'launch/patient patient/*.rs', code_challenge: challenge, code_challenge_method: 'S256', ...over },
  }
  return new URLSearchParams(
    Object.fromEntries(Object.entries(all).flatMap(([k, v]) => (v === undefined ? [] : [[k, v] as const]))),
  ).toString()
}

export async function smartGround(options: ShellOptions = {}): Promise<SmartGround> {
  let subjects!: Subjects
  const shell = await testShell({
    publicOrigin: origin,
    ...options,
    routes(identity, engine) {
      subjects = makeSubjects(engine, (tenant) => identity.members(tenant))
      return [
        ...appAndSmartRoutes(
          identity,
          smartWorldOf({ engine, subjects, clinical: { patientIdOf: async (_tx, subject) => subject } }),
        ),
        ...subjectsRoutes(subjects),
        whoAsks,
      ]
    },
  })
  const { server, tenant } = shell
  const by = byTest(tenant)
  const admin = await shell.prove(await shell.signIn(['administrator']))
  const [nurse, other] = [await shell.signIn(['nurse']), await shell.signIn(['nurse'])]
  const team = await subjects.createCareTeam(by, { name: 'Theirs', members: [other.id] })
  const patient = (await subjects.create(by, aPatient())).id
  const stranger = (await subjects.create(by, { ...aPatient({ given: 'Adelgunde' }), team: team.id })).id
  const own = { host, 'sec-fetch-site': 'same-origin' }
  const post: SmartGround['post'] = (url, payload, cookie = nurse.cookie) =>
    server.inject({ method: 'POST', url, payload, headers: { ...own, cookie } })
  const form: SmartGround['form'] = (url, fields, headers = {}) =>
    server.inject({
      ...{ method: 'POST', url, payload: new URLSearchParams(fields).toString() },
      headers: { host, 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })
  const allow: SmartGround['allow'] = async (app, { scope, who = nurse, subject = patient, more = {} } = {}) => {
    const { verifier, challenge } = pkce()
    const query = queryOf(app.id, challenge, { ...(scope === undefined ? {} : { scope }), ...more })
    const said = await post('/api/v1/authorizations', { query, isAllowed: true, subject }, who.cookie)
    if (said.statusCode !== 200) throw new Error(`the authorization answered ${said.statusCode} ${said.body}`)
    const redirect = new URL(said.json<{ redirect: string }>().redirect)
    return { code: redirect.searchParams.get('code') ?? '', verifier, redirect }
  }
  return {
    ...shell,
    ...{ subjects, admin, nurse, patient, stranger, post, form, allow },
    register: (wanted) =>
      shell.identity.smart.apps.create(tenant, NewApp.parse({ ...anApp(), ...wanted }), { actor: `staff:${admin.id}` }),
    async asAdmin(method, url, payload) {
      // As if they had just shown again that it is them.
      const proved = 'update auth.session set proved_at = $2 where user_id = $1'
      await shell.engine.db.pool.query(proved, [admin.id, new Date(shell.clock.now())])
      return server.inject({ method, url, payload, headers: { ...own, cookie: admin.cookie } })
    },
    call: (method, url, cookie, payload) =>
      server.inject({ method, url, headers: { ...own, cookie }, ...(payload === undefined ? {} : { payload }) }),
    whoAsks: (token) =>
      server.inject({ url: '/fhir/R4/who-asks', headers: { host, authorization: `Bearer ${token}` } }),
    async tokens(app, wanted) {
      const { code, verifier } = await allow(app, wanted)
      const said = await form('/oauth/token', codeForm(app.id, code, verifier))
      return { status: said.statusCode, body: said.json() }
    },
  }
}

const anApp = (): NewAppInput => ({
  name: 'Growth chart',
  kind: 'public',
  redirectUris: [redirectUri],
  scopes: allScopes,
})

export const allScopes = [
  ...['openid', 'fhirUser', 'launch', 'launch/patient', 'offline_access', 'patient/*.cruds', 'user/*.cruds'],
]

export const codeForm = (client_id: string, code: string, code_verifier: string) => ({
  ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri, client_id, code_verifier },
})

export interface AppKey {
  readonly jwk: JWK
  readonly privateJwk: JWK
  /** As SMART's asymmetric authentication and backend services write it. */
  assert(client: string, now: number, over?: Readonly<Record<string, unknown>>): Promise<string>
}

export async function appKey(alg: 'RS384' | 'ES384' | 'ES256', kid: string): Promise<AppKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    privateJwk: await exportJWK(privateKey),
    assert(client, now, over = {}) {
      const at = Math.floor(now / 1000)
      const claims = { iss: client, sub: client, aud: `${origin}/oauth/token`, iat: at, exp: at + 240 }
      return new SignJWT({ ...claims, jti: randomBytes(16).toString('hex'), ...over })
        .setProtectedHeader({ alg, kid, typ: 'JWT' })
        .sign(privateKey)
    },
  }
}

export const assertionForm = (client_assertion: string, fields: Readonly<Record<string, string>>) => ({
  ...fields,
  ...{ client_assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' },
})
