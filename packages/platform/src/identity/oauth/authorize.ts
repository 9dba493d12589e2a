/**
 * A person is asked whether an app may, and answers. Nothing is kept between the question and the answer: the whole request comes with
 * both and is checked both times. Who asks is signed in and not held; the answer comes from our own page (same origin).
 */
import type { AuthorizationShown, DecideAuthorization } from '@careloop/contract'
import type { DataKey, Engine } from '../../engine/index.ts'
import { type ActedBy, recordAct } from '../acted-by.ts'
import { fail } from '../errors.ts'
import type { StaffPrincipal } from '../principal.ts'
import { sha256 } from '../service-tokens.ts'
import { isPerson } from '../session-hold.ts'
import type { App, Apps } from './apps.ts'
import {
  type AuthorizationRequest,
  codeBack,
  errorBack,
  parametersOf,
  type ReadOptions,
  readRequest,
} from './authorization-request.ts'
import { grantable, wantsPatient } from './grantable.ts'
import { patientOfLaunch, takeLaunch } from './launches.ts'
import { parseScope } from './scopes.ts'
import { grantMs, onlineGrantMs } from './tokens.ts'

/** ms from the answer to the app's exchange: it comes at once or not at all. */
const codeMs = 60_000

/** What later rooms know of patients and identity does not. */
export interface Patients {
  /** Whether this patient is there for them now. */
  sees(person: StaffPrincipal, subject: string): Promise<boolean>
  /** Of a patient or caregiver: themselves, or whom they care for. */
  choices(person: StaffPrincipal): Promise<readonly { readonly id: string; readonly display: string }[]>
}

export interface AuthorizeParts {
  readonly engine: Engine
  readonly apps: Apps
  readonly key: DataKey
  readonly patients: Patients
}

interface Read {
  readonly app: App
  readonly request: AuthorizationRequest
  /** All that could be granted. */
  readonly scopes: readonly string[]
}

/** @throws Failure `app-not-found`, `app-redirect-refused` */
export async function lookAtAuthorization(
  parts: AuthorizeParts,
  person: StaffPrincipal,
  query: string,
  options: ReadOptions,
): Promise<AuthorizationShown> {
  const read = await readAll(parts, person, query, options)
  if ('back' in read) return { next: 'back', redirect: read.back }
  const { app, request, scopes } = read
  const shown = {
    ...{ next: 'ask' as const, scopes: [...scopes] },
    app: { id: app.id, name: app.name, host: new URL(request.redirectUri).host },
  }
  if (request.launch !== undefined) {
    const subject = await patientOfLaunch(parts.engine, { app: app.id, user: person.id, launch: request.launch })
    if (subject === null || !(await parts.patients.sees(person, subject)))
      return { next: 'back', redirect: backOf(request, options, 'invalid_request', launchOver) }
    return { ...shown, patient: 'chosen', subject }
  }
  if (!wantsPatient(scopes)) return { ...shown, patient: 'none' }
  if (!isPerson(person.roles)) return { ...shown, patient: 'choose' }
  return { ...shown, patient: 'choose', choices: [...(await parts.patients.choices(person))] }
}

/**
 * @returns where the person goes on, with a code or with what came of it
 * @throws Failure `app-not-found`, `app-redirect-refused`, `app-patient-not-found`, `app-scope-refused`
 */
export async function decideAuthorization(
  parts: AuthorizeParts,
  person: StaffPrincipal,
  decided: DecideAuthorization,
  options: ReadOptions & { readonly by: ActedBy },
): Promise<string> {
  const read = await readAll(parts, person, decided.query, options)
  if ('back' in read) return read.back
  const { app, request } = read
  if (!decided.isAllowed) {
    await recordRefusal(parts.engine, person, app.id, options.by)
    return backOf(request, options, 'access_denied', 'the person did not allow it')
  }
  const scopes = chosenOf(read.scopes, decided.scopes)
  const chosen = decided.subject
  if (request.launch === undefined && wantsPatient(scopes)) {
    // Word for word the same for a patient out of sight and for one who does not exist.
    if (chosen === undefined || !(await parts.patients.sees(person, chosen))) throw patientNotFound()
  }
  return keepGrant(parts, person, { app, request, scopes }, { ...options, chosen })
}

async function readAll(
  { apps }: AuthorizeParts,
  person: StaffPrincipal,
  query: string,
  options: ReadOptions,
): Promise<Read | { readonly back: string }> {
  const parameters = parametersOf(query)
  if (parameters === null)
    throw fail('app-redirect-refused', 'This app sent a request that says a thing twice. Nothing was sent back.', {
      pointer: '/body/query',
    })
  const known = await apps.byId(parameters.get('client_id') ?? '')
  const app = known?.tenant === person.tenant ? known : null
  const request = readRequest(parameters, app, options)
  if ('back' in request) return request
  const scopes = grantable(request.scope, app!.scopes, isPerson(person.roles) ? 'person' : 'staff')
  // Scope `launch` and the launch itself come together or not at all.
  const isLaunch = request.launch !== undefined
  if (isLaunch !== request.scope.split(' ').includes('launch') || (isLaunch && !scopes.includes('launch')))
    return { back: backOf(request, options, 'invalid_request', 'scope launch and parameter launch belong together') }
  const isAnything = scopes.some((scope) => scope === 'openid' || parseScope(scope) !== null)
  if (!isAnything) return { back: backOf(request, options, 'invalid_scope', 'nothing of it can be granted here') }
  return { app: app!, request, scopes }
}

/** @throws Failure `app-scope-refused`: an answer can leave scopes out, and add none */
function chosenOf(shown: readonly string[], left: readonly string[] | undefined): readonly string[] {
  if (left === undefined) return shown
  if (left.some((scope) => !shown.includes(scope)))
    throw fail('app-scope-refused', 'This was not asked for. Load the page again.', { pointer: '/body/scopes' })
  return shown.filter((scope) => left.includes(scope))
}

interface Keeping extends ReadOptions {
  readonly by: ActedBy
  readonly chosen: string | undefined
}

async function keepGrant(parts: AuthorizeParts, person: StaffPrincipal, read: Read, options: Keeping): Promise<string> {
  const { engine } = parts
  const { app, request, scopes } = read
  const { launch } = request
  const launched = launch === undefined ? null : { app: app.id, user: person.id, launch }
  const patientLaunched = launched === null ? null : await patientOfLaunch(engine, launched)
  const isOver =
    launched !== null && (patientLaunched === null || !(await parts.patients.sees(person, patientLaunched)))
  if (isOver) return backOf(request, options, 'invalid_request', launchOver)
  const code = engine.ids.token('cac')
  const id = engine.ids.uuid()
  const kept = await engine.db.asEngine(async (tx) => {
    if (launched !== null && (await takeLaunch(engine, tx, launched)) === null) return false
    const patient = patientLaunched ?? (wantsPatient(scopes) ? options.chosen! : null)
    const now = engine.clock.now()
    const isOffline = scopes.includes('offline_access')
    await tx.client.query(
      `insert into auth.app_grant (id, tenant_id, app_id, user_id, session_id, patient_id, scopes, is_offline, auth_time, created_at,
         expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, coalesce((select created_at from auth.session where id = $5), $9), $9, $10)`,
      [
        ...[id, person.tenant, app.id, person.id, person.session, patient, [...scopes], isOffline],
        ...[new Date(now), new Date(now + (isOffline ? grantMs : onlineGrantMs))],
      ],
    )
    await tx.client.query(
      `insert into auth.app_code (sha256, grant_id, redirect_uri, challenge, nonce, expires_at) values ($1, $2, $3, $4, $5, $6)`,
      [
        ...[sha256(code), id, request.redirectUri, request.challenge],
        request.nonce === undefined ? null : parts.key.seal(Buffer.from(request.nonce), nonceAad(id)),
        new Date(now + codeMs),
      ],
    )
    const act = { tenant: person.tenant, by: options.by, action: 'consent', resource: 'app', id: app.id } as const
    await recordAct(tx, patient === null ? act : { ...act, subject: patient })
    return true
  })
  if (!kept) return backOf(request, options, 'invalid_request', launchOver)
  return codeBack({ issuer: options.issuer, redirectUri: request.redirectUri, state: request.state }, code)
}

export const nonceAad = (grant: string): string => `auth.app_code ${grant} nonce`

const recordRefusal = (engine: Engine, { tenant }: StaffPrincipal, app: string, by: ActedBy): Promise<void> =>
  engine.db.asEngine((tx) =>
    recordAct(tx, { tenant, by, action: 'consent', resource: 'app', id: app, outcome: 'denied' }),
  )

const launchOver = 'this launch was used, is too old, or is of somebody else; open the app from the patient again'

const backOf = (
  { redirectUri, state }: AuthorizationRequest,
  { issuer }: ReadOptions,
  ...[error, description]: [Parameters<typeof errorBack>[1], string]
): string => errorBack({ issuer, redirectUri, state }, error, description)

export const patientNotFound = (pointer = '/body/subject') =>
  fail('app-patient-not-found', 'Choose one of your patients for this app.', { pointer })
