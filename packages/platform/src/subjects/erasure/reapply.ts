/**
 * After a restore the database knows of fewer erasures than were made. Before any door, page or stage opens, they are made again: from
 * copies of the ledger, and from keys that a restore has destroyed already.
 */
import type { Engine } from '../../engine/index.ts'
import { eraseWithin, type Forget } from './erase.ts'
import { type LedgerCopy, type LedgerHead, ledgerKey, verifyLedger } from './ledger.ts'

const actor = 'system:erasure'

/**
 * Idempotent; run at every start.
 * @param copies of the ledger, from outside the database
 * @param atLeast a head that a copy must reach, where one is known
 * @returns how many subjects were erased again
 * @throws Failure `ledger-broken`: the server must not start
 */
export async function reapplyErasures(
  engine: Engine,
  forgets: readonly Forget[],
  copies: readonly LedgerCopy[],
  atLeast?: LedgerHead,
): Promise<number> {
  for (const copy of copies) await verifyLedger(engine, copy, atLeast)
  const wanted = new Map<string, { tenant: string; subject: string; at: number }>()
  for (const { tenant, subject, at } of copies.flatMap((copy) => copy.entries))
    wanted.set(`${tenant} ${subject}`, { tenant, subject, at })
  for (const each of await keyless(engine)) {
    const name = `${each.tenant} ${each.subject}`
    if (!wanted.has(name)) wanted.set(name, each)
  }
  const key = await ledgerKey(engine)
  let again = 0
  for (const each of wanted.values()) if (await eraseAgain(engine, key, forgets, each)) again += 1
  if (again > 0)
    engine.watch.log.warn({ subjects: again }, 'erasures that this database did not know of were made again')
  return again
}

/** Keys of subjects that were destroyed without the rest: by a restore that has the ledger of keys only. */
async function keyless({ db }: Engine): Promise<{ tenant: string; subject: string; at: number }[]> {
  const { rows } = await db.pool.query<{ tenant: string; subject: string; at: number }>(
    `select k.tenant_id as tenant, k.owner as subject, floor(extract(epoch from k.destroyed_at) * 1000)::float8 as at
       from engine.data_key k
      where k.purpose = 'subject' and k.destroyed_at is not null and k.tenant_id is not null
        and not exists (select from engine.data_key l where l.purpose = k.purpose and l.owner = k.owner and l.destroyed_at is null)
        and not exists (select from engine.erasure_ledger e where e.tenant_id = k.tenant_id and e.subject_id::text = k.owner)
      order by k.destroyed_at`,
  )
  return rows
}

/** @returns false when it is erased here, or was made after the time that was restored to */
async function eraseAgain(
  engine: Engine,
  key: Awaited<ReturnType<typeof ledgerKey>>,
  forgets: readonly Forget[],
  { tenant, subject, at }: { tenant: string; subject: string; at: number },
): Promise<boolean> {
  return engine.db.asEngine(async (tx) => {
    const isToDo = await tx.asTenant(tenant, async (inner) => {
      // What a hold placed before the erasure kept was let go by the time of the erasure: its release is what was lost.
      await inner.client.query(
        `update tenant.legal_hold h set released_by = $3, released_at = $4, release_reason = ''
           from tenant.subject s
          where h.tenant_id = $1 and h.subject_id = $2 and h.released_at is null
            and s.tenant_id = h.tenant_id and s.id = h.subject_id and s.erased_at is null`,
        [tenant, subject, actor, at],
      )
      const { rows } = await inner.client.query<{ erased: boolean }>(
        'select erased_at is not null as erased from tenant.subject where tenant_id = $1 and id = $2 for update',
        [tenant, subject],
      )
      return rows[0]?.erased === false
    })
    if (isToDo) await eraseWithin(engine, tx, key, forgets, { tenant, subject, at, actor })
    return isToDo
  })
}
