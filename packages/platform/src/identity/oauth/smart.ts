/** SMART App Launch 2.2 as identity holds it: registrations, authorization, tokens. ADR 0019 says why it is ours. */
import type { AuthorizationShown, DecideAuthorization, OwnAppGrant } from '@careloop/contract'
import { type Engine, makeGuardedFetch, type OutboundPolicy, publicOnly } from '../../engine/index.ts'
import type { ActedBy } from '../acted-by.ts'
import type { StaffPrincipal } from '../principal.ts'
import { type AppByToken, makeAppByToken } from './app-by-token.ts'
import { type Apps, makeApps } from './apps.ts'
import { decideAuthorization, lookAtAuthorization, type Patients } from './authorize.ts'
import { type AskingClient, authenticateClient } from './client-auth.ts'
import { makeClientKeys } from './client-keys.ts'
import type { PatientIdOf } from './fhir-user.ts'
import { type IdTokens, makeIdTokens } from './id-token.ts'
import { launchApp } from './launches.ts'
import { listOwnGrants, revokeOwnGrant } from './own-grants.ts'
import type { Addresses } from './smart-documents.ts'
import { exchangeToken, type TokenResponse } from './token-endpoint.ts'
import { introspect, revokeToken, type TokenStatus } from './token-status.ts'

/** What later rooms know and identity asks: the app hands it in with the routes. */
export interface SmartWorld extends Patients {
  readonly patientId: PatientIdOf
}

export interface ClientCall extends AskingClient {
  readonly addresses: Addresses
  readonly requestId: string
}

interface Opened {
  readonly addresses: Addresses
  readonly by: ActedBy
}

export interface Smart {
  readonly apps: Apps
  readonly idTokens: Pick<IdTokens, 'keys'>
  readonly appByToken: AppByToken
  look(world: SmartWorld, person: StaffPrincipal, query: string, addresses: Addresses): Promise<AuthorizationShown>
  /** @returns where the person goes on */
  decide(world: SmartWorld, person: StaffPrincipal, decided: DecideAuthorization, opened: Opened): Promise<string>
  /** @param subject that they see. @returns where the app opens */
  launch(person: StaffPrincipal, of: { app: string; subject: string }, opened: Opened): Promise<string>
  /** @throws OAuthRefusal */
  token(world: SmartWorld, call: ClientCall): Promise<TokenResponse>
  /** @param isGood as routes ask it. @throws OAuthRefusal */
  introspect(world: SmartWorld, call: ClientCall, isGood: (token: string) => Promise<boolean>): Promise<TokenStatus>
  /** @throws OAuthRefusal */
  revoke(call: ClientCall): Promise<void>
  grantsOf(person: StaffPrincipal): Promise<OwnAppGrant[]>
  revokeGrant(person: StaffPrincipal, id: string, by: ActedBy): Promise<void>
}

export async function makeSmart(engine: Engine, outbound: OutboundPolicy = publicOnly): Promise<Smart> {
  const key = await engine.keys.keyFor('auth', 'smart')
  const apps = makeApps(engine, outbound)
  const idTokens = makeIdTokens(engine, key)
  const asking = { engine, apps, keys: makeClientKeys(makeGuardedFetch(outbound), engine.clock) }
  return {
    ...{ apps, idTokens, appByToken: makeAppByToken(engine) },
    look: (patients, person, query, addresses) =>
      lookAtAuthorization({ engine, apps, key, patients }, person, query, addresses),
    decide: (patients, person, decided, { addresses, by }) =>
      decideAuthorization({ engine, apps, key, patients }, person, decided, { ...addresses, by }),
    launch: (person, of, { addresses, by }) =>
      launchApp({ engine, apps }, person, { ...of, fhirUrl: addresses.fhirUrl }, by),
    async token({ patientId }, call) {
      const app = await authenticateClient(asking, call)
      const { form, addresses, requestId } = call
      return exchangeToken({ engine, key, idTokens, patientId }, app, { form, ...addresses, requestId })
    },
    async introspect({ patientId }, call, isGood) {
      const app = await authenticateClient(asking, call)
      return introspect({ engine, patientId, isGood }, app, call.form.get('token') ?? '', call.addresses)
    },
    async revoke(call) {
      const app = await authenticateClient(asking, call)
      await revokeToken(engine, app, call.form.get('token') ?? '', call.requestId)
    },
    grantsOf: (person) => listOwnGrants(engine, person),
    revokeGrant: (person, id, by) => revokeOwnGrant(engine, person, id, by),
  }
}
