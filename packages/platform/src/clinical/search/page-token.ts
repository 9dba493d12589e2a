/**
 * The link to the next page, sealed under the tenant's key: the query in it may hold PHI, and an address is logged by others. It opens
 * for whom it was made alone: what somebody searched for, and where in the record they stand, is no one else's to go on with.
 */
import { type Pair, SearchError } from '@careloop/fhir'
import type { Engine } from '../../engine/index.ts'
import type { By } from '../../subjects/index.ts'

export interface PageToken {
  /** Type that is searched; null = those that `_type` names. */
  readonly type: string | null
  readonly pairs: readonly Pair[]
  /** `Patient/1` when its compartment is searched. */
  readonly compartment?: string
  /** Where the page before ended; its shape is the search's own. */
  readonly after: unknown
}

/** An app is not whom it acts for: each goes on with its own. */
function aadOf({ tenant, actor, who }: By): string {
  const app = who?.kind === 'staff' || who?.kind === 'service' ? who.app?.client : undefined
  return `clinical-search-page:${JSON.stringify([tenant, actor, app ?? null])}`
}

export async function sealPage({ keys }: Pick<Engine, 'keys'>, by: By, page: PageToken): Promise<string> {
  const key = await keys.keyFor('tenant', by.tenant)
  return key.seal(Buffer.from(JSON.stringify(page)), aadOf(by)).toString('base64url')
}

/** @throws SearchError `search-page-unknown` for what was sealed for somebody else, another app of theirs, or by nobody */
export async function openPage({ keys }: Pick<Engine, 'keys'>, by: By, token: string): Promise<PageToken> {
  const key = await keys.keyFor('tenant', by.tenant)
  try {
    return JSON.parse(key.open(Buffer.from(token, 'base64url'), aadOf(by)).toString()) as PageToken
  } catch {
    throw new SearchError('search-page-unknown', 'This page is not known. Begin the search anew.', 'invalid')
  }
}
