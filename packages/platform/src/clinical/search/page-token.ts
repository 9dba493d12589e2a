/** The link to the next page, sealed under the tenant's key: the query in it may hold PHI, and an address is logged by others. */
import { type Pair, SearchError } from '@careloop/fhir'
import type { Engine } from '../../engine/index.ts'

export interface PageToken {
  /** Type that is searched; null = those that `_type` names. */
  readonly type: string | null
  readonly pairs: readonly Pair[]
  /** `Patient/1` when its compartment is searched. */
  readonly compartment?: string
  /** Where the page before ended; its shape is the search's own. */
  readonly after: unknown
}

const aadOf = (tenant: string): string => `clinical-search-page:${tenant}`

export async function sealPage({ keys }: Pick<Engine, 'keys'>, tenant: string, page: PageToken): Promise<string> {
  const key = await keys.keyFor('tenant', tenant)
  return key.seal(Buffer.from(JSON.stringify(page)), aadOf(tenant)).toString('base64url')
}

/** @throws SearchError `search-page-unknown` for what another organisation, or nobody, sealed */
export async function openPage({ keys }: Pick<Engine, 'keys'>, tenant: string, token: string): Promise<PageToken> {
  const key = await keys.keyFor('tenant', tenant)
  try {
    return JSON.parse(key.open(Buffer.from(token, 'base64url'), aadOf(tenant)).toString()) as PageToken
  } catch {
    throw new SearchError('search-page-unknown', 'This page is not known. Begin the search anew.', 'invalid')
  }
}
