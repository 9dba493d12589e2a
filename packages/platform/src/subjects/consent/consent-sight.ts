/**
 * A permission lets its grantee know that this person is here; the classes decide what is seen of them. Sight is opened and ended in
 * the transaction that records or withdraws, so that no read comes between.
 */
import type { GranteeKind } from '@careloop/contract'
import type { Engine, TenantTx } from '../../engine/index.ts'
import type { By } from '../by.ts'
import { endSight, grantSight } from '../sight-grants.ts'
import { consentsOf } from './consent-rows.ts'
import type { ConsentTerms } from './decide.ts'

/** In place of a user: whichever program outside treats, pays for or runs the care. */
export const forTreatment = 'treatment'

export async function syncSight(
  engine: Engine,
  tx: TenantTx,
  by: By,
  subject: string,
  grantee: ConsentTerms['grantee'],
) {
  if (grantee.kind === 'research') return
  const now = engine.clock.now()
  const own = (await consentsOf(engine, tx, subject))
    .map(({ terms }) => terms)
    .filter((terms) => terms.grantee.kind === grantee.kind && terms.grantee.id === grantee.id)
  const isOpen = ({ status, until }: ConsentTerms) => status === 'active' && (until === null || until > now)
  const isHidden = own.some((terms) => terms.decision === 'deny' && isOpen(terms) && isWhole(terms))
  const { actor, requestId } = by
  for (const terms of own.filter(({ decision }) => decision === 'permit')) {
    if (isHidden || !isOpen(terms)) {
      await endSight(tx, { why: 'consent', source: terms.id, at: now, actor, requestId })
      continue
    }
    await grantSight(tx, {
      ...{ id: engine.ids.uuid(), subject, user: userOf(grantee), why: 'consent', source: terms.id, from: terms.from },
      ...(terms.until === null ? {} : { until: terms.until }),
      ...{ actor, requestId },
    })
  }
}

const userOf = ({ id }: { kind: GranteeKind; id: string | null }): string => id ?? forTreatment

/** A refusal of everything, for every purpose: the person is not there for them any more. */
const isWhole = ({ classes, purposes, labels }: ConsentTerms): boolean =>
  classes.length === 0 && purposes.length === 0 && labels.length === 0
