/** What of a subscription must not stand in a plain column: where it goes, with which secrets, who of whom is asked about. */
import type { Engine } from '../../engine/index.ts'
import type { AppGrant, SmartAccess } from '../../identity/index.ts'
import type { Filter } from './read-subscription.ts'

export interface SubscriptionBody {
  /** FHIR id of the Subscription. */
  readonly fhirId: string
  readonly endpoint: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly filters: readonly Filter[]
  /** The app in whose name it was made; absent: its owner's own. */
  readonly app?: AppGrant
}

interface Place {
  readonly tenant: string
  /** Row. */
  readonly id: string
}

const aad = ({ tenant, id }: Place) => `subscription:${tenant}:${id}:body`

/** The tenant's key; got before a transaction that needs it. */
export const tenantKey = ({ keys }: Pick<Engine, 'keys'>, tenant: string) => keys.keyFor('tenant', tenant)

export async function sealBody(engine: Pick<Engine, 'keys'>, place: Place, body: SubscriptionBody) {
  const key = await tenantKey(engine, place.tenant)
  return { key_id: key.id, body: key.seal(Buffer.from(JSON.stringify(body, asLists)), aad(place)) }
}

export async function openBody(
  engine: Pick<Engine, 'keys'>,
  place: Place,
  sealed: { readonly key_id: string; readonly body: Buffer },
): Promise<SubscriptionBody> {
  const key = await engine.keys.key(sealed.key_id)
  const read = JSON.parse(key.open(sealed.body, aad(place)).toString()) as Written
  const { app, ...rest } = read
  if (app === undefined) return rest
  return { ...rest, app: { ...app, scopes: app.scopes.map((each) => ({ ...each, access: new Set(each.access) })) } }
}

/** As JSON has it: sets are lists there. */
type Written = Omit<SubscriptionBody, 'app'> & {
  readonly app?: Omit<AppGrant, 'scopes'> & {
    readonly scopes: readonly (Omit<AppGrant['scopes'][number], 'access'> & { readonly access: SmartAccess[] })[]
  }
}

const asLists = (_name: string, value: unknown): unknown => (value instanceof Set ? [...value] : value)
