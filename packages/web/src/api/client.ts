/** One way to ask the server: typed by endpoint, every refusal an `ApiError` that says what to do. */
import type { OperationOutcome } from '@careloop/contract'
import { hearServerClock } from '../app/clock.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** What is asked and what comes back; the types are the contract's, `path` as OpenAPI writes it. */
export interface Endpoint<Answer, Body = undefined, Path extends string = string> {
  readonly method: Method
  readonly path: Path
  /** Never set: carries the types. */
  readonly types?: { readonly answer: Answer; readonly body: Body }
}

type ParamNames<Path> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | ParamNames<Rest> : never
type Query = Readonly<Record<string, string | number | undefined>>

/** What an endpoint needs: path parameters if its path has some, a body if it takes one. */
export type Asked<Body, Path> = {
  readonly query?: Query
  readonly signal?: AbortSignal
  /** The page may be left before the answer is there: the browser sends it all the same. At most 64 kB. */
  readonly keepalive?: boolean
} & ([ParamNames<Path>] extends [never] ? unknown : { readonly params: Readonly<Record<ParamNames<Path>, string>> }) &
  ([Body] extends [undefined] ? unknown : { readonly body: Body })

/** A refusal in the server's words, or the network's. `status` 0 = nobody answered. */
export class ApiError extends Error {
  readonly status: number
  /** A code of docs/errors.md, `no-answer` when the server was not reached. */
  readonly code: string
  /** JSON pointer to the field at fault, e.g. `/body/note`. */
  readonly pointer: string
  /** The whole answer, for those that say more (who has a task). */
  readonly body: unknown

  constructor(message: string, status: number, code: string, pointer: string, body: unknown) {
    super(message)
    this.status = status
    this.code = code
    this.pointer = pointer
    this.body = body
  }
}

/** @throws ApiError */
export function call<Answer, Body, Path extends string>(
  endpoint: Endpoint<Answer, Body, Path>,
  asked: Asked<Body, Path>,
): Promise<Answer> {
  const asking = askUntilProved(endpoint, asked)
  const settle = () => void inFlight.delete(asking)
  inFlight.add(asking)
  asking.then(settle, settle)
  return asking
}

const inFlight = new Set<Promise<unknown>>()

/** When all that is being asked now has been answered, or refused. */
export const allAnswered = (): Promise<unknown> => Promise.allSettled([...inFlight])

/** Asks the person to show again who they are. @returns whether they did */
export type Prover = (refused: ApiError) => Promise<boolean>

let prover: Prover | undefined

/** @returns the stop */
export function proveBy(wanted: Prover): () => void {
  prover = wanted
  return () => {
    if (prover === wanted) prover = undefined
  }
}

/** What gives the session another token: what was on its way under the old one is refused, and asked once more. */
const renewing: ReadonlySet<string> = new Set([
  '/api/v1/session/step-up',
  '/api/v1/session/unlock',
  '/api/v1/passkeys',
  '/api/v1/second-factor/confirm',
  '/api/auth/change-password',
])
let renewals = 0
let renewal: Promise<unknown> | undefined

async function askUntilProved<Answer, Body, Path extends string>(
  endpoint: Endpoint<Answer, Body, Path>,
  asked: Asked<Body, Path>,
): Promise<Answer> {
  const before = renewals
  const asking = ask(endpoint, asked)
  if (endpoint.method === 'POST' && renewing.has(endpoint.path)) {
    renewals += 1
    renewal = asking.catch(() => {})
  }
  try {
    return await asking
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.code === 'not-signed-in' && renewals !== before && !renewing.has(endpoint.path)) {
      await renewal
      return ask(endpoint, asked)
    }
    if (!error.code.startsWith('step-up-') || prover === undefined || !(await prover(error))) throw error
    // Nothing was done before the refusal: the same act is asked again.
    return ask(endpoint, asked)
  }
}

async function ask<Answer, Body, Path extends string>(
  endpoint: Endpoint<Answer, Body, Path>,
  asked: Asked<Body, Path>,
): Promise<Answer> {
  const { params, body, query, signal, keepalive } = asked as {
    params?: Record<string, string>
    body?: unknown
  } & Asked<undefined, ''>
  const response = await fetch(urlOf(endpoint.path, params ?? {}, query ?? {}), {
    method: endpoint.method,
    credentials: 'same-origin',
    headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
    ...(keepalive ? { keepalive } : {}),
  }).catch((error: unknown) => {
    if ((error as Error).name === 'AbortError') throw error
    throw new ApiError('Careloop does not answer. Check the connection and try again.', 0, 'no-answer', '', undefined)
  })
  hearServerClock(response.headers.get('date'))
  if (response.status === 204) return undefined as Answer
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok) return answer as Answer
  const refused = refusal(response.status, answer)
  if (refused.code === 'session-locked') for (const listener of lockListeners) listener()
  throw refused
}

const lockListeners = new Set<() => void>()

/** Told whenever the server says that this session is locked. @returns the stop */
export function onLocked(listener: () => void): () => void {
  lockListeners.add(listener)
  return () => void lockListeners.delete(listener)
}

function urlOf(path: string, params: Readonly<Record<string, string>>, query: Query): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) words.set(name, String(value))
  return words.size === 0 ? filled : `${filled}?${words}`
}

function refusal(status: number, body: unknown): ApiError {
  const issue = (body as OperationOutcome | undefined)?.issue?.[0]
  const words = issue?.diagnostics ?? 'Careloop could not answer. Try again; if it stays, tell an administrator.'
  const code = issue?.details.coding[0]?.code ?? 'unknown'
  return new ApiError(words, status, code, issue?.expression?.[0] ?? '', body)
}
