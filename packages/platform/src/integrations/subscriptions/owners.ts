/** Whoever subscribed, asked anew each time: what they may no longer know of is not told from then on. */
import { actorOf } from '../../identity/index.ts'
import type { By } from '../../subjects/index.ts'
import { sightOf } from '../../subjects/index.ts'
import type { Knowing, SubscriptionParts } from './parts.ts'
import type { SubscriptionBody } from './sealed-body.ts'

export interface Asked {
  readonly by: By
  readonly knowing: Knowing
}

/** Opened before a transaction. @returns null when the owner, or their app, has no access any more */
export async function askedBy(
  parts: Pick<SubscriptionParts, 'owner' | 'knowing'>,
  tenant: string,
  { owner }: { readonly owner: string },
  { app }: Pick<SubscriptionBody, 'app'>,
): Promise<Asked | null> {
  const who = await parts.owner(tenant, owner, app)
  if (who === null) return null
  const by: By = { tenant, actor: actorOf(who), who, sight: sightOf(who, 'read', 'reading') }
  return { by, knowing: await parts.knowing(by) }
}
