/**
 * A look at somebody's readings: whether they are there for who asks, what of them consent lets through, and what is written of it.
 * All of it stands in the transaction that reads.
 */
import { type Failure, redisclosureMark } from '@careloop/contract'
import { record } from '../audit/index.ts'
import type { EngineTx, TenantTx } from '../engine/index.ts'
import type { ReplyHeaders } from '../identity/index.ts'
import { type By, isSeen, purposed, type Shown, type Subjects } from '../subjects/index.ts'
import { fail } from './errors.ts'

/** Whether readings of this signal are shown. */
export type ShowsSignal = (signal: string) => boolean

export interface Look {
  readonly subject: string
  /** Asked for alone: then it is there or nothing is. */
  readonly signal?: string | undefined
}

export interface Looking<T> {
  readonly answer: T
  /** What 42 CFR 2.32 wants beside labelled records. */
  readonly headers: ReplyHeaders
}

/**
 * Runs `read` with what it has to run in its transaction first.
 * @throws Failure `series-not-found`: no such subject for them, or not of this signal; what consent held back is in the trail
 */
export async function look<T>(
  consents: Subjects['consents'],
  by: By,
  asked: Look,
  read: (alongside: (tx: EngineTx) => Promise<ShowsSignal>) => Promise<T>,
): Promise<Looking<T>> {
  const gate = await consents.gate(by)
  let isHeldBack = false
  let isNoticed = false
  try {
    const answer = await read((tx) =>
      tx.asTenant(by.tenant, async (tenantTx) => {
        if (!(await isSeen(tenantTx, asked.subject, by.sight))) throw notThere()
        const shown = await gate.shown(tenantTx, asked.subject)
        const found = await permitted(tenantTx, shown, asked)
        isHeldBack = !shown.everything && found.signals.length === 0 && found.wasHeldBack
        if (isHeldBack) throw notThere()
        isNoticed = found.isNoticed
        const { actor, requestId } = by
        const entry = { actor, action: 'read', resource: 'series', subject: asked.subject, requestId } as const
        await record(tenantTx, purposed(by.sight, entry))
        if (shown.isOutside) await disclose(consents, tenantTx, by, asked.subject, found)
        return (signal) => shown.everything || shown.may({ signals: [signal] })
      }),
    )
    return { answer, headers: isNoticed ? { 'careloop-notice': redisclosureMark } : {} }
  } catch (error) {
    if (isHeldBack) await consents.refused(by, asked.subject, 'series')
    throw error
  }
}

const notThere = (): Failure =>
  fail('series-not-found', 'No such subject here. Check the id.', { pointer: '/params/id' })

interface Permitted {
  readonly signals: readonly string[]
  readonly wasHeldBack: boolean
  /** Something of it is under 42 CFR Part 2. */
  readonly isNoticed: boolean
  readonly consent: string | null
}

/** What is there of this person and may be shown; when nothing was ever measured, nothing was held back. */
async function permitted(tx: TenantTx, shown: Shown, { subject, signal }: Look): Promise<Permitted> {
  if (shown.everything) return { signals: [], wasHeldBack: false, isNoticed: false, consent: null }
  const { rows } = await tx.client.query<{ signal: string }>(
    `select distinct signal from tenant.series
      where tenant_id = $1 and subject = $2 and ($3::text is null or signal = $3) order by signal`,
    [tx.tenant, subject, signal ?? null],
  )
  // Also of what was never measured it is not told that it was not.
  const asked = signal === undefined ? rows.map((row) => row.signal) : [signal]
  const decided = asked.map((code) => ({ code, decision: shown.decide({ signals: [code] }) }))
  const permits = decided.filter(({ decision }) => decision.decision === 'permit')
  return {
    signals: permits.map(({ code }) => code),
    wasHeldBack: permits.length < decided.length,
    isNoticed: permits.some(({ decision }) => decision.obligations.length > 0),
    consent: permits[0]?.decision.consent ?? null,
  }
}

const disclose = (
  consents: Subjects['consents'],
  tx: TenantTx,
  by: By,
  subject: string,
  { signals, isNoticed, consent }: Permitted,
): Promise<string> =>
  consents.disclose(tx, by, {
    ...{ subject, purpose: 'TREAT', consent },
    recipient: { kind: 'integration', id: by.who?.kind === 'service' ? by.who.id : null },
    what: {
      description: signals.length === 0 ? 'Readings: none yet' : `Readings: ${signals.join(', ')}`,
      ...{ labels: isNoticed ? ['ETH', 'SUD'] : [], noticed: isNoticed },
    },
  })
