/**
 * A route is data: what is asked, who may ask, what is answered. Rooms list theirs in `routes.ts`; `api` serves the list and
 * refuses to start when one lacks a policy. It lives in identity because a policy is identity's.
 *
 * @example
 * ```ts
 * // subjects/routes.ts
 * export const subjectsRoutes = (subjects: Subjects): Route[] => [
 *   defineRoute({
 *     method: 'GET',
 *     url: '/api/v1/subjects/:id',
 *     summary: 'One subject',
 *     policy: { action: 'read', resource: 'subject' },
 *     params: z.object({ id: Id }),
 *     query: z.object({ history: z.stringbool().default(false) }), // everything in a query is text: coerce
 *     response: { 200: SubjectBody, 404: OperationOutcome },         // failures need not be listed: they are documented for all
 *     async handler(ctx) {
 *       const found = await subjects.subject(ctx.tenant, ctx.params.id) // ctx.principal is staff or service here
 *       return ctx.reply(200, found, { headers: { etag: found.version } })
 *     },
 *   }),
 *   defineRoute({
 *     method: 'POST',
 *     url: '/api/v1/ingest',
 *     summary: 'Readings of a device',
 *     policy: 'device',                                              // ctx.principal is a device
 *     bytes: { maxBytes: 1 << 20, maxInflatedBytes: 4 << 20, contentTypes: ['application/json', 'application/senml+json'] },
 *     response: { 202: Receipts },
 *     handler: async (ctx) => ctx.reply(202, await door.take(ctx.principal.device, ctx.bytes)),
 *   }),
 * ]
 * ```
 */
import type { Action, Resource } from '@careloop/contract'
import type { z } from 'zod'
import type { Engine } from '../engine/index.ts'
import type { Thing } from './may.ts'
import type { DevicePrincipal, DisplayPrincipal, PersonOrService, Principal, StaffPrincipal } from './principal.ts'

/**
 * Who may ask. `public`: anybody, even without a session. `device`: a device with its own token. Else whoever may do the
 * action with the resource. `signed-in`: any member of staff or service, whatever their roles. `session`: a member of staff also
 * while their session is held back (locked, or waiting for a second factor): the ways to let go of the hold, nothing else.
 * `display`: a wall screen, and nobody else.
 * `fhir`: as `signed-in`, and apps by their SMART access token, which opens nothing else; the room decides by type, scope and patient.
 * `operator`: from this machine's loopback, or with the operator's token (metrics).
 */
export type Policy =
  | 'public'
  | 'device'
  | 'display'
  | 'operator'
  | 'signed-in'
  | 'session'
  | 'fhir'
  | { readonly action: Action; readonly resource: Resource }

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** A body that the handler wants as bytes: not parsed, gzip already undone within the bound. */
export interface BytesBody {
  /** As sent; more is refused with 413 `body-too-large`. */
  readonly maxBytes: number
  /** After gzip; more is refused with 413 `body-too-large` before it is held in memory. */
  readonly maxInflatedBytes: number
  /** Others are refused with 415 `media-type-unsupported`. `*` = any. */
  readonly contentTypes: readonly string[]
}

/** What is answered with a status: a JSON shape, nothing (204), or a stream of bytes described by its media type. */
export type Answer = z.ZodType | 'empty' | { readonly stream: string }
export type Answers = Readonly<Record<number, Answer>>

/** Made by `ctx.reply` and `ctx.stream` only. */
export interface Replied {
  readonly status: number
  readonly headers: ReplyHeaders
  readonly body:
    | { readonly kind: 'json'; readonly value: unknown }
    | { readonly kind: 'empty' }
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array | string; readonly mediaType: string }
    | { readonly kind: 'stream'; readonly chunks: AsyncIterable<Uint8Array | string>; readonly mediaType: string }
}

/** Several values of one name (`set-cookie`) as a list. */
export type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>

export interface ReplyOptions {
  readonly headers?: ReplyHeaders
}

type BodyOf<A> = A extends z.ZodType ? z.input<A> : undefined
type PrincipalOf<P> = P extends 'public' | 'operator'
  ? Principal | null
  : P extends 'device'
    ? DevicePrincipal
    : P extends 'display'
      ? DisplayPrincipal
      : P extends 'session'
        ? StaffPrincipal
        : PersonOrService
type TenantOf<P> = P extends 'public' | 'operator' ? string | null : string
type OutputOf<S> = S extends z.ZodType ? z.output<S> : undefined

export interface Context<P, Params, Query, Body, A extends Answers> {
  readonly engine: Engine
  readonly principal: PrincipalOf<P>
  /** The principal's tenant: the only one this request can reach. */
  readonly tenant: TenantOf<P>
  readonly params: OutputOf<Params>
  readonly query: OutputOf<Query>
  readonly body: OutputOf<Body>
  /** The body's bytes for a route with `bytes`, else empty. */
  readonly bytes: Buffer
  readonly mediaType: string
  readonly requestId: string
  /** Address of the peer, for rate limits and audit. */
  readonly ip: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Aborts when the asker has gone or the server closes. */
  readonly signal: AbortSignal
  /** A finer question than the policy's, about one thing. */
  may(action: Action, resource: Resource, thing?: Thing): boolean
  /** Answers JSON. What the schema does not declare is not sent. */
  reply<S extends keyof A & number>(status: S, body: BodyOf<A[S]>, options?: ReplyOptions): Replied
  /** Answers bytes as they come; the iterable is ended when the asker goes. */
  stream(
    status: keyof A & number,
    mediaType: string,
    chunks: AsyncIterable<Uint8Array | string>,
    options?: ReplyOptions,
  ): Replied
  /** Answers bytes that are already at hand. */
  send(status: keyof A & number, mediaType: string, bytes: Uint8Array | string, options?: ReplyOptions): Replied
}

export interface RouteDefinition<P extends Policy, Params, Query, Body, A extends Answers> {
  readonly method: Method
  /** Fastify's pattern: `/api/v1/devices/:id`. Never PHI: names and identifiers go in bodies. */
  readonly url: string
  readonly summary: string
  readonly description?: string
  /** Group in OpenAPI; default is the first word after `/api/v1/`. */
  readonly tag?: string
  readonly policy: P
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  /** Bound of a JSON body; default 256 KiB. */
  readonly maxBodyBytes?: number
  readonly bytes?: BytesBody
  readonly response: A
  /** For large answers of trusted shape (series): the schema documents and does not filter. */
  readonly unfiltered?: boolean
  /**
   * The person must have proved a second factor (or passkey) within the last five minutes: exports, keys, activation of rules,
   * revocation of devices, erasure. A service is not asked: its scope was given by somebody who was.
   */
  readonly stepUp?: boolean
  /** Requests a minute from one address; more get 429. */
  readonly perMinute?: number
  /**
   * Pages of other origins may ask and read: what they send carries a token or a secret of its own, and no cookie is looked at. For
   * `public` routes that never look at one; those with the policy `fhir` are so by themselves.
   */
  readonly isCrossOrigin?: boolean
  readonly handler: (ctx: Context<P, Params, Query, Body, A>) => Promise<Replied> | Replied
}

/** A route with its types worn off, as lists hold it and `api` serves it. */
export type Route = RouteDefinition<
  Policy,
  z.ZodType | undefined,
  z.ZodType | undefined,
  z.ZodType | undefined,
  Answers
>

/** Checks and infers a route; see the example at the top of the file. */
export function defineRoute<
  const P extends Policy,
  const A extends Answers,
  Params extends z.ZodType | undefined = undefined,
  Query extends z.ZodType | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(route: RouteDefinition<P, Params, Query, Body, A>): Route {
  return route as unknown as Route
}
