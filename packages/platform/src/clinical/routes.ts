/** FHIR R4 over HTTP. Who asks is let in by `fhir`; what they may do with which type, `rights.ts` decides for each interaction. */
import { parseJson } from '@careloop/fhir'
import { z } from 'zod'
import { defineRoute, type Method, type Replied, type Route } from '../identity/index.ts'
import { performBatch } from './bundle/batch.ts'
import { wrong } from './bundle/entry.ts'
import type { Wanted } from './bundle/response.ts'
import { performTransaction } from './bundle/transaction.ts'
import { capabilityStatement, type StatementParts } from './capability.ts'
import { exportRoutes } from './export/export-routes.ts'
import { preferred, replyWith, sendText } from './rest/answer.ts'
import { type Asked, basePath, contextOf, type FhirContext, pairsIn } from './rest/context.ts'
import { informationOf, refusalOf } from './rest/failure-outcome.ts'
import type { FhirRoom } from './rest/fhir-room.ts'
import { type Format, formatOf, jsonTypes, readIn, textOf, writtenIn, xmlTypes } from './rest/format.ts'
import { perform } from './rest/perform.ts'
import type { FhirAnswer, FhirMethod, FhirRequest } from './rest/request.ts'

const patchType = 'application/json-patch+json'
const formType = 'application/x-www-form-urlencoded'
/** A resource with an attachment; a Bundle of tens of thousands. */
const mib = 1024 * 1024
const ofResource = { maxBytes: 8 * mib, maxInflatedBytes: 16 * mib }
const ofBundle = { maxBytes: 64 * mib, maxInflatedBytes: 128 * mib }
const resources = [...jsonTypes, ...xmlTypes]
const resourceBody = { ...ofResource, contentTypes: resources }
const patchBody = { maxBytes: mib, maxInflatedBytes: 4 * mib, contentTypes: [patchType, 'application/json'] }
const formBody = { maxBytes: mib, maxInflatedBytes: mib, contentTypes: [formType] }
/** Operations take Parameters, or nothing at all. */
const operationBody = { ...ofResource, contentTypes: [...resources, ''] }

type Body = NonNullable<Route['bytes']>
type Line = readonly [method: Method, path: string, summary: string, body?: Body]

const lines: readonly Line[] = [
  ['GET', '/_history', 'Versions of all resources, newest first'],
  ['POST', '/_search', 'Search several types (_type) by a form', formBody],
  ['GET', '/:type', 'Search resources of a type'],
  ['POST', '/:type', 'Create a resource (If-None-Exist: only where none fulfils the condition)', resourceBody],
  ['PUT', '/:type', 'Update the resource that fulfils a condition, or create it', resourceBody],
  ['PATCH', '/:type', 'Patch the resource that fulfils a condition', patchBody],
  ['DELETE', '/:type', 'Delete the resource that fulfils a condition'],
  ['POST', '/:type/_search', 'Search by a form: names and identifiers stand in no URL', formBody],
  ['GET', '/:type/_history', 'Versions of the resources of a type, newest first'],
  ['POST', '/:type/$validate', 'What a write of this resource would be told', operationBody],
  ['GET', '/:type/:id', 'Read a resource'],
  ['PUT', '/:type/:id', 'Update a resource, or create it under this id', resourceBody],
  ['PATCH', '/:type/:id', 'Patch a resource (RFC 6902)', patchBody],
  ['DELETE', '/:type/:id', 'Delete a resource'],
  ['POST', '/:type/:id', 'An operation on a type; a resource is created by POST to its type', operationBody],
  ['GET', '/:type/:id/_history', 'Versions of a resource, newest first'],
  ['GET', '/:type/:id/_history/:version', 'Read one version of a resource'],
  ['GET', '/:type/:id/$validate', 'Whether the resource that stands is valid'],
  ['POST', '/:type/:id/$validate', 'What an update by this resource would be told', operationBody],
  ['GET', '/:type/:id/:target', 'Search in a compartment'],
  ['POST', '/:type/:id/:target', 'An operation on a resource', operationBody],
  ['POST', '/:type/:id/:target/_search', 'Search in a compartment by a form', formBody],
]

/** Search parameters are as many as FHIR has: each interaction reads its own. */
const query = z.looseObject({
  _format: z.string().max(100).optional().describe('json or xml, in place of the header Accept'),
  _pretty: z.string().max(10).optional(),
})
/** Which type and which id is legal, the interaction says, by an OperationOutcome. */
const paramsOf = (path: string) =>
  z.object(Object.fromEntries([...path.matchAll(/:(\w+)/g)].map(([, name]) => [name!, z.string()])))

const answers = { 200: { stream: 'application/fhir+json' } } as const

/** @param statement what later rooms add to what this server says of itself */
export function clinicalRoutes(room: FhirRoom, statement: StatementParts = { version: '0' }): Route[] {
  // Of the first time that it was asked for: this process says the same until it ends.
  let date: string | undefined
  return [
    ...exportRoutes(room),
    defineRoute({
      ...{
        method: 'GET',
        url: `${basePath}/metadata`,
        summary: 'The CapabilityStatement',
        tag: 'fhir',
        policy: 'public',
        isCrossOrigin: true,
      },
      ...{ response: answers, query },
      handler: (ctx) =>
        answered(room, ctx, async ({ base }) => {
          date ??= new Date(ctx.engine.clock.now()).toISOString()
          return { status: 200, body: { tree: capabilityStatement(base, statement, date) } }
        }),
    }),
    ...baseRoutes(room, basePath),
    // Clients write the base with a slash behind it, too.
    ...baseRoutes(room, `${basePath}/`),
    ...lines.map(([method, path, summary, body]) =>
      defineRoute({
        ...{ method, url: `${basePath}${path}`, summary, tag: 'fhir', policy: 'fhir' as const, response: answers },
        ...{ query, params: paramsOf(path) },
        ...(body === undefined ? {} : { bytes: body }),
        handler: (ctx) =>
          answered(room, ctx, (context) =>
            perform(room, requestOf(ctx, context, { method, path: pathOf(path, ctx.params) })),
          ),
      }),
    ),
  ]
}

const baseRoutes = (room: FhirRoom, url: string): Route[] => [
  defineRoute({
    ...{ method: 'GET', url, summary: 'Search several types (_type); else what stands here' },
    ...{ tag: 'fhir', policy: 'fhir', response: answers, query },
    handler: (ctx) =>
      answered(room, ctx, async (context) =>
        context.pairs.some(([name]) => name === '_type')
          ? perform(room, requestOf({ ...ctx, params: {} }, context, { method: 'GET', path: [] }))
          : { status: 200, body: { tree: hintOf(context.base) } },
      ),
  }),
  defineRoute({
    ...{ method: 'POST', url, summary: 'A batch or a transaction', tag: 'fhir', policy: 'fhir' },
    ...{ bytes: { ...ofBundle, contentTypes: resources }, response: answers, query },
    handler: (ctx) =>
      answered(room, ctx, (context) =>
        performBundle(room, requestOf(ctx, context, { method: 'POST', path: [] }), wantedOf(context)),
      ),
  }),
]

const hintOf = (base: string) =>
  informationOf(
    `FHIR R4 stands here. ${base}/metadata says what can be done; ${base}/.well-known/smart-configuration how an app is let in.`,
  )

type Ctx = Asked & { readonly bytes: Buffer; readonly mediaType: string; readonly params: unknown }

/** The address as it came: `:type` and `:id` in their places. */
const pathOf = (pattern: string, params: unknown): string[] =>
  pattern
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (part.startsWith(':') ? (params as Record<string, string>)[part.slice(1)]! : part))

async function answered(
  room: FhirRoom,
  ctx: Ctx,
  act: (context: FhirContext) => Promise<FhirAnswer>,
): Promise<Replied> {
  const context = contextOf(room.parts, ctx)
  let format: Format = 'json'
  try {
    format = formatOf(context.pairs, one(context.headers.accept))
    return await replyWith(context, await act(context), format)
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === null) throw error
    const { status, outcome, retryAfterSeconds } = refusal
    const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
    return sendText(context, status, { text: writtenIn(format, { tree: outcome }, false), format, headers })
  }
}

const one = (header: string | string[] | undefined): string | undefined =>
  header === undefined ? undefined : String(header)

function requestOf(
  { bytes, mediaType }: Ctx,
  { by, pairs, headers, base }: FhirContext,
  { method, path }: { method: FhirMethod; path: readonly string[] },
): FhirRequest {
  const form = mediaType === formType ? pairsIn(textOf(bytes)) : []
  return {
    ...{ by, method, path, base, query: [...pairs, ...form] },
    ...(bytes.length === 0 || mediaType === formType ? {} : bodyOf(method, mediaType, bytes)),
    isStrict: preferred(headers.prefer, 'handling') === 'strict',
    conditions: {
      ...{ ifMatch: one(headers['if-match']), ifNoneMatch: one(headers['if-none-match']) },
      ...{ ifModifiedSince: one(headers['if-modified-since']), ifNoneExist: one(headers['if-none-exist']) },
    },
  }
}

const bodyOf = (method: FhirMethod, mediaType: string, bytes: Buffer): Pick<FhirRequest, 'tree' | 'patch'> =>
  method === 'PATCH' ? { patch: parseJson(textOf(bytes)) } : { tree: readIn(mediaType, bytes) }

const wantedOf = ({ headers }: FhirContext): Wanted =>
  preferred(headers.prefer, 'return') === 'representation' ? 'representation' : 'minimal'

/** @throws Failure `bundle-wrong` */
async function performBundle(room: FhirRoom, request: FhirRequest, wanted: Wanted): Promise<FhirAnswer> {
  const { tree } = request
  if (tree?.resourceType !== 'Bundle')
    throw wrong('Send a Bundle here; single resources go to their type.', 'resourceType')
  if (tree.type === 'batch') return performBatch(room, request, wanted)
  if (tree.type === 'transaction') return performTransaction(room, request, wanted)
  throw wrong('The type of the Bundle is batch or transaction.', 'Bundle.type')
}
