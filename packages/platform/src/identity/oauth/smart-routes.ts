/** What apps themselves ask: the documents, the keys, and the token endpoint with its neighbours. Open to pages of any origin. */
import { z } from 'zod'
import type { Identity } from '../identity.ts'
import { defineRoute, type Replied, type Route } from '../route.ts'
import { parametersOf } from './authorization-request.ts'
import { OAuthRefusal, oauthRefusal } from './oauth-refusal.ts'
import { addressesAt } from './server-address.ts'
import type { ClientCall, SmartWorld } from './smart.ts'
import { serverMetadata, smartConfiguration } from './smart-documents.ts'

type Headers = Readonly<Record<string, string | string[] | undefined>>

const one = (value: string | string[] | undefined): string | undefined => [value].flat()[0]

export const addressesFor = (identity: Identity, headers: Headers) =>
  addressesAt(identity.publicOrigin, one(headers.host), identity.secureCookies)

const Document = z.record(z.string(), z.unknown())
const OAuthError = z.object({ error: z.string(), error_description: z.string() }).meta({ id: 'OAuthError' })
const TokenBody = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int(),
    scope: z.string(),
    refresh_token: z.string().optional(),
    id_token: z.string().optional(),
    /** FHIR id of the patient in context. */
    patient: z.string().optional(),
  })
  .meta({ id: 'TokenResponse' })
const TokenStatusBody = z
  .object({
    active: z.boolean(),
    scope: z.string().optional(),
    client_id: z.string().optional(),
    token_type: z.string().optional(),
    exp: z.int().optional(),
    iat: z.int().optional(),
    sub: z.string().optional(),
    iss: z.string().optional(),
    patient: z.string().optional(),
    fhirUser: z.string().optional(),
  })
  .meta({ id: 'TokenStatus' })

const form = {
  maxBytes: 32_768,
  maxInflatedBytes: 32_768,
  contentTypes: ['application/x-www-form-urlencoded'],
} as const
const open = { tag: 'smart', policy: 'public', isCrossOrigin: true } as const
const atEndpoint = { ...open, method: 'POST', perMinute: 600, bytes: form } as const

export const smartRoutes = (identity: Identity, world: SmartWorld): Route[] => [
  ...documentRoutes(identity),
  defineRoute({
    ...atEndpoint,
    url: '/oauth/token',
    summary: 'Tokens for a code, a refresh token or an app’s own assertion',
    response: { 200: TokenBody, 400: OAuthError, 401: OAuthError },
    handler: (ctx) =>
      answered(ctx, async () => ctx.reply(200, await identity.smart.token(world, callOf(identity, ctx)))),
  }),
  defineRoute({
    ...atEndpoint,
    url: '/oauth/introspect',
    summary: 'Whether a token of the app that asks is good, and for what',
    response: { 200: TokenStatusBody, 400: OAuthError, 401: OAuthError },
    handler: (ctx) =>
      answered(ctx, async () => {
        const isGood = (token: string) => identity.isAppTokenGood(token)
        return ctx.reply(200, await identity.smart.introspect(world, callOf(identity, ctx), isGood))
      }),
  }),
  defineRoute({
    ...atEndpoint,
    url: '/oauth/revoke',
    summary: 'End an access token, or with a refresh token all that was allowed',
    response: { 200: Document, 400: OAuthError, 401: OAuthError },
    handler: (ctx) =>
      answered(ctx, async () => {
        await identity.smart.revoke(callOf(identity, ctx))
        return ctx.reply(200, {})
      }),
  }),
]

const documentRoutes = (identity: Identity): Route[] => [
  defineRoute({
    ...open,
    method: 'GET',
    url: '/fhir/R4/.well-known/smart-configuration',
    summary: 'SMART configuration: where apps authorise, and what is supported',
    response: { 200: Document },
    handler: (ctx) => ctx.reply(200, smartConfiguration(addressesFor(identity, ctx.headers))),
  }),
  ...(['openid-configuration', 'oauth-authorization-server'] as const).map((name) =>
    defineRoute({
      ...open,
      method: 'GET',
      url: `/.well-known/${name}`,
      summary:
        name === 'openid-configuration' ? 'OpenID Connect Discovery' : 'Authorization server metadata (RFC 8414)',
      response: { 200: Document },
      handler: (ctx) => ctx.reply(200, serverMetadata(addressesFor(identity, ctx.headers))),
    }),
  ),
  defineRoute({
    ...open,
    method: 'GET',
    url: '/oauth/jwks',
    summary: 'Public keys by which id_tokens are signed',
    response: { 200: z.object({ keys: z.array(Document) }) },
    async handler(ctx) {
      const { keys } = await identity.smart.idTokens.keys()
      return ctx.reply(200, { keys: keys.map((key) => ({ ...key })) })
    },
  }),
]

interface Asked {
  readonly headers: Headers
  readonly bytes: Buffer
  readonly requestId: string
}

/** @throws OAuthRefusal `invalid_request` */
function callOf(identity: Identity, { headers, bytes, requestId }: Asked): ClientCall {
  const parameters = parametersOf(bytes.toString('utf8'))
  if (parameters === null) throw oauthRefusal('invalid_request', 'each parameter is sent once')
  const addresses = addressesFor(identity, headers)
  const authorization = one(headers.authorization)
  return { form: parameters, authorization, audience: addresses.tokenUrl, addresses, requestId }
}

interface Replying {
  reply(status: 400 | 401, body: z.input<typeof OAuthError>, options?: { headers: Record<string, string> }): Replied
}

async function answered(ctx: Replying, act: () => Promise<Replied>): Promise<Replied> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof OAuthRefusal)) throw error
    const body = { error: error.error, error_description: error.description }
    if (error.status === 401) return ctx.reply(401, body, { headers: { 'www-authenticate': 'Basic realm="careloop"' } })
    return ctx.reply(400, body)
  }
}
