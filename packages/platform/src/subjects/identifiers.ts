/** Identifiers, telephone numbers and e-mail addresses as HMACs: found by exact match, unreadable at rest. */
import type { SubjectResource } from '@careloop/contract'
import type { Engine, TenantTx } from '../engine/index.ts'
import { exactKeysOf } from './body.ts'
import { subjectFailure } from './errors.ts'
import type { SubjectsTables } from './schema.ts'

export interface HashedKey {
  readonly system: string
  readonly hmac: Buffer
  readonly isUnique: boolean
  readonly pointer: string
}

/** The HMAC of one normalised value of a numbering system. */
export const hashKey = (engine: Engine, tenant: string, system: string, normalised: string): Promise<Buffer> =>
  engine.keys.hmac(tenant, `subject-identifier:${system}`, normalised)

export const hashKeysOf = (engine: Engine, tenant: string, resource: SubjectResource): Promise<HashedKey[]> =>
  Promise.all(
    exactKeysOf(resource).map(async ({ system, normalised, isUnique, pointer }) => ({
      system,
      hmac: await hashKey(engine, tenant, system, normalised),
      isUnique,
      pointer: `/body/resource${pointer}`,
    })),
  )

const taken = (pointer: string) =>
  subjectFailure(
    'identifier-taken',
    'Another subject has this identifier. Search for it by identifier, and use or correct that one.',
    { pointer },
  )

/** Before anything is written. @param subject whose own they may be @throws Failure `identifier-taken` */
export async function assertKeysFree(tx: TenantTx, subject: string | null, keys: readonly HashedKey[]): Promise<void> {
  for (const { system, hmac, isUnique, pointer } of keys) {
    if (!isUnique) continue
    const { rows } = await tx.client.query(
      `select from tenant.subject_identifier
        where tenant_id = $1 and system = $2 and hmac = $3 and is_unique and subject_id is distinct from $4 limit 1`,
      [tx.tenant, system, hmac, subject],
    )
    if (rows.length > 0) throw taken(pointer)
  }
}

/** Puts a subject's keys in place of those it had. @throws Failure `identifier-taken` with a pointer to the identifier */
export async function writeKeys(tx: TenantTx, subject: string, keys: readonly HashedKey[]): Promise<void> {
  const tables = tx.tables<SubjectsTables>()
  await tables.deleteFrom('subject_identifier').where('subject_id', '=', subject).execute()
  for (const { system, hmac, isUnique, pointer } of keys) {
    const written = await tables
      .insertInto('subject_identifier')
      .values({ subject_id: subject, system, hmac, is_unique: isUnique })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
    if (written.numInsertedOrUpdatedRows !== 1n) throw taken(pointer)
  }
}

/** Ids of the subjects that have this exact key. */
export async function subjectsWithKey(tx: TenantTx, system: string, hmac: Buffer, limit: number): Promise<string[]> {
  const rows = await tx
    .tables<SubjectsTables>()
    .selectFrom('subject_identifier')
    .select('subject_id')
    .where('system', '=', system)
    .where('hmac', '=', hmac)
    .orderBy('subject_id')
    .limit(limit)
    .execute()
  return rows.map((row) => row.subject_id)
}
