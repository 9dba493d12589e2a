/** What shared readings hold, on every database port. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RowReader, RowWriter, TenantTx } from '../ports.ts'
import type { DbGround } from './db.contract.ts'

interface Tables {
  shared_note: { tenant_id: string; body: string }
}

export function sharedReadingContract(name: string, make: () => Promise<DbGround>): void {
  describe(`shared readings on ${name}`, () => {
    let ground: DbGround
    let tenant: string
    beforeAll(async () => {
      ground = await make()
      tenant = await ground.tenant()
      const { pool } = ground.engine.db
      await pool.query(
        `create table tenant.shared_note (tenant_id uuid not null, body text not null check (body <> 'poison'))`,
      )
      await pool.query(`select engine.make_tenant_table('tenant.shared_note')`)
    })
    afterAll(() => ground.stop())

    /** How many rows each of its statements wrote. */
    const statements: number[] = []
    const writeNotes: RowWriter<string> = async (tx, bodies) => {
      statements.push(bodies.length)
      await tx.client.query('insert into tenant.shared_note (tenant_id, body) select $1, * from unnest($2::text[])', [
        tx.tenant,
        bodies,
      ])
    }
    const notes = async (of = tenant) =>
      (
        await ground.engine.db.pool.query<{ body: string }>(
          'select body from tenant.shared_note where tenant_id = $1 order by ctid',
          [of],
        )
      ).rows.map(({ body }) => body)
    const transactionOf = async (tx: TenantTx): Promise<string> =>
      (await tx.client.query<{ xid: string }>('select pg_current_xact_id()::text as xid')).rows[0]!.xid
    const reading = (body: string, of = tenant) =>
      ground.engine.db.asTenantReading(of, async (tx) => {
        await tx.write(writeNotes, [body])
        return transactionOf(tx)
      })
    const clear = async () => {
      statements.length = 0
      await ground.engine.db.pool.query('truncate tenant.shared_note')
    }

    test('who comes together shares one transaction and one statement of entries, in the order of coming', async () => {
      await clear()
      const transactions = await Promise.all(['a', 'b', 'c'].map((body) => reading(body)))
      expect(new Set(transactions).size).toBe(1)
      expect(statements).toEqual([3])
      expect(await notes()).toEqual(['a', 'b', 'c'])
    })

    test('one transaction takes a bounded number, and nobody is left waiting', async () => {
      await clear()
      const bodies = Array.from({ length: 150 }, (_, at) => String(at))
      const transactions = await Promise.all(bodies.map((body) => reading(body)))
      expect([...statements].sort((one, other) => one - other)).toEqual([22, 64, 64])
      expect(new Set(transactions).size).toBe(3)
      // First come, first read: nobody of a later sixty-four is before one of an earlier.
      const batchOf = (at: number) => [...new Set(transactions)].indexOf(transactions[at]!)
      expect(bodies.map((_, at) => batchOf(at))).toEqual(bodies.map((_, at) => Math.floor(at / 64)))
      expect((await notes()).length).toBe(150)
    })

    test('what one reader refuses fails that reader alone, and its entry is not written', async () => {
      await clear()
      const refused = ground.engine.db.asTenantReading(tenant, async (tx) => {
        await tx.write(writeNotes, ['refused'])
        throw new Error('not found')
      })
      const outcomes = await Promise.allSettled([reading('before'), refused, reading('after')])
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      await expect(refused).rejects.toThrow('not found')
      expect(await notes()).toEqual(['before', 'after'])
    })

    test('a statement that fails fails its reader alone, also when the reader hid it: the others are read again, with one entry each', async () => {
      await clear()
      const { db } = ground.engine
      const broken = db.asTenantReading(tenant, (tx) => tx.client.query('select 1 / 0'))
      const hidden = db.asTenantReading(tenant, async (tx) => {
        await tx.client.query('select 1 / 0').catch(() => {})
        await tx.write(writeNotes, ['hidden'])
      })
      const outcomes = await Promise.allSettled([reading('before'), broken, hidden, reading('after')])
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
      await expect(broken).rejects.toThrow(/division by zero/)
      expect((await notes()).sort()).toEqual(['after', 'before'])
    })

    test('an entry that the database refuses fails its reader alone', async () => {
      await clear()
      const outcomes = await Promise.allSettled([reading('before'), reading('poison'), reading('after')])
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect((await notes()).sort()).toEqual(['after', 'before'])
    })

    test('a commit that fails fails every reader, and nothing of them is there', async () => {
      await clear()
      const { pool } = ground.engine.db
      await pool.query(`create function tenant.refuse_note() returns trigger language plpgsql as
        $$ begin if new.body = 'late' then raise exception 'no commit'; end if; return null; end $$`)
      await pool.query(`create constraint trigger late after insert on tenant.shared_note
        deferrable initially deferred for each row execute function tenant.refuse_note()`)
      const outcomes = await Promise.allSettled([reading('early'), reading('late'), reading('other')])
      await pool.query('drop function tenant.refuse_note cascade')
      expect(outcomes.map((each) => each.status === 'rejected' && String(each.reason))).toEqual(
        Array.from({ length: 3 }, () => expect.stringContaining('no commit')),
      )
      expect(await notes()).toEqual([])
    })

    test('a lost connection fails no reader who could be read again', async () => {
      await clear()
      const { pool } = ground.engine.db
      let cut = false
      const lost = ground.engine.db.asTenantReading(tenant, async (tx) => {
        const { rows } = await tx.client.query<{ pid: number }>('select pg_backend_pid() as pid')
        if (!cut) await pool.query('select pg_terminate_backend($1, 5000)', [rows[0]!.pid])
        cut = true
        return tx.client.query('select 1')
      })
      await Promise.all([lost, reading('beside')])
      expect(await notes()).toEqual(['beside'])
    })

    test('nobody hears anything before the commit', async () => {
      await clear()
      let go = () => {}
      const held = new Promise<void>((resolve) => {
        go = resolve
      })
      const slow = ground.engine.db.asTenantReading(tenant, () => held)
      let isAnswered = false
      const quick = reading('quick').then(() => {
        isAnswered = true
      })
      while (statements.length === 0 && !isAnswered) {
        if ((await ground.engine.db.cursor('none')) === '0') go()
        expect(isAnswered && (await notes()).length === 0).toBe(false)
      }
      await Promise.all([slow, quick])
      expect(await notes()).toEqual(['quick'])
    })

    test('organisations share nothing: each reads and writes its own rows in its own transaction', async () => {
      await clear()
      const other = await ground.tenant()
      const [mine, theirs] = await Promise.all([reading('mine'), reading('theirs', other)])
      expect(mine).not.toBe(theirs)
      const read = (of: string) =>
        ground.engine.db.asTenantReading(of, async (tx) =>
          (await tx.tables<Tables>().selectFrom('shared_note').select('body').execute()).map(({ body }) => body),
        )
      expect(await Promise.all([read(tenant), read(other), read(tenant)])).toEqual([['mine'], ['theirs'], ['mine']])
      const forged = ground.engine.db.asTenantReading(other, async (tx) => tx.write(writeNotes, ['x']).then(() => tx))
      await expect(forged).resolves.toBeDefined()
      expect(await notes(tenant)).toEqual(['mine'])
    })

    test('what was committed before somebody came is seen by them, whoever reads meanwhile', async () => {
      await clear()
      const seen = () =>
        ground.engine.db.asTenantReading(
          tenant,
          async (tx) => (await tx.tables<Tables>().selectFrom('shared_note').select('body').execute()).length,
        )
      for (let at = 1; at <= 20; at++) {
        const early = [seen(), seen(), seen()]
        await reading(String(at))
        expect(await seen()).toBe(at)
        await Promise.all(early)
      }
    })

    test('who asks for keys at the same time asks by one statement, and each gets what stands under theirs', async () => {
      const asked: (readonly string[])[] = []
      const upper: RowReader<string, string> = async (tx, keys) => {
        asked.push(keys)
        const { rows } = await tx.client.query<{ up: string[] }>(
          'select array_agg(upper(key) order by at) as up from unnest($1::text[]) with ordinality as asked(key, at)',
          [keys],
        )
        return rows[0]!.up
      }
      const read = (key: string) => ground.engine.db.asTenantReading(tenant, (tx) => tx.readOne(upper, key))
      expect(await Promise.all(['a', 'b', 'a', 'c'].map(read))).toEqual(['A', 'B', 'A', 'C'])
      expect(asked).toEqual([['a', 'b', 'a', 'c']])
      expect(await ground.engine.db.asTenant(tenant, (tx) => tx.readOne(upper, 'own'))).toBe('OWN')
    })

    test('facts, entries of the log and hooks are refused there', async () => {
      const { db } = ground.engine
      const forbidden: ((tx: TenantTx) => unknown)[] = [
        (tx) => tx.publish({ type: 'SubjectChanged', subject: tenant }),
        (tx) => tx.beforeCommitAppend([]),
        (tx) => tx.beforeCommitAsEngine(async () => {}),
        (tx) => tx.afterCommit(() => {}),
      ]
      for (const act of forbidden)
        await expect(db.asTenantReading(tenant, async (tx) => void (await act(tx)))).rejects.toThrow('take asTenant')
    })
  })
}
