/** What every database port holds. Run on each engine. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../ports.ts'

export interface DbGround {
  readonly engine: Engine
  another(): Engine
  tenant(): Promise<string>
  stop(): Promise<void>
}

interface AnyTable {
  secret_note: { tenant_id: string; body: string }
}

export function dbContract(name: string, make: () => Promise<DbGround>): void {
  describe(`database on ${name}`, () => {
    let ground: DbGround
    let tenant: string
    beforeAll(async () => {
      ground = await make()
      tenant = await ground.tenant()
      await ground.engine.db.pool.query('create table tenant.secret_note (tenant_id uuid not null, body text not null)')
      await ground.engine.db.pool.query(`select engine.make_tenant_table('tenant.secret_note')`)
    })
    afterAll(() => ground.stop())

    const types = async (after: string) => (await ground.engine.db.readFacts(after, 100)).map((fact) => fact.type)
    const newest = async () => (await ground.engine.db.readFacts('0', 1000)).at(-1)?.position ?? '0'

    test('a slow writer that commits after a fast one is delivered, and after it nothing is skipped', async () => {
      const { db } = ground.engine
      const start = await newest()
      let release = () => {}
      const began = Promise.withResolvers<void>()
      const slow = db.asTenant(tenant, async (tx) => {
        // A transaction has its place in the order from its first write on; facts are written at its end.
        await tx.client.query('select pg_current_xact_id()')
        await tx.publish({ type: 'SubjectChanged', subject: tenant })
        began.resolve()
        await new Promise<void>((go) => {
          release = go
        })
      })
      await began.promise
      await db.asTenant(tenant, (tx) => tx.publish({ type: 'DeviceChanged', device: tenant }))
      expect(await types(start)).toEqual([])
      release()
      await slow
      // Another database of the same server may have an older transaction: then these wait for its end.
      await expect.poll(() => types(start), { timeout: 15_000 }).toEqual(['SubjectChanged', 'DeviceChanged'])
    })

    test('subscribers hear facts of another process in order, also those hidden behind a slow transaction', async () => {
      const heard: string[] = []
      const mine = ground.engine.ids.uuid()
      const stop = ground.engine.db.onFacts(['SubjectChanged', 'DeviceChanged'], (fact) => {
        if (Object.values(fact.body).includes(mine)) heard.push(fact.type)
      })
      const { db } = ground.another()
      let release = () => {}
      const began = Promise.withResolvers<void>()
      const slow = db.asTenant(tenant, async (tx) => {
        // A transaction has its place in the order from its first write on; facts are written at its end.
        await tx.client.query('select pg_current_xact_id()')
        await tx.publish({ type: 'SubjectChanged', subject: mine })
        began.resolve()
        await new Promise<void>((go) => {
          release = go
        })
      })
      await began.promise
      await db.asTenant(tenant, async (tx) => {
        await tx.publish({ type: 'DeviceChanged', device: mine })
        await tx.publish({ type: 'SiteChanged', site: tenant })
      })
      release()
      await slow
      await expect.poll(() => heard, { timeout: 5000 }).toEqual(['SubjectChanged', 'DeviceChanged'])
      stop()
    })

    test('a fact of a rolled back transaction is never told', async () => {
      const start = await newest()
      await expect(
        ground.engine.db.asTenant(tenant, async (tx) => {
          await tx.publish({ type: 'SubjectChanged', subject: tenant })
          throw new Error('no')
        }),
      ).rejects.toThrow('no')
      expect(await types(start)).toEqual([])
    })

    test('a cursor moves only from where it stands: of two movers one wins', async () => {
      const { db } = ground.engine
      const move = (from: string, to: string) => db.asEngine((tx) => db.moveCursor(tx, 'stage', from, to))
      const results = await Promise.allSettled([move('0', '5'), move('0', '6')])
      expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected'])
      const stands = await db.cursor('stage')
      await expect(move('4', '9')).rejects.toMatchObject({ code: 'cursor-moved' })
      await move(stands, '10')
      expect(await db.cursor('stage')).toBe('10')
    })

    test('a tenant sees and writes its own rows only, and no engine table', async () => {
      const { db } = ground.engine
      const other = await ground.tenant()
      const write = (as: string, of: string) =>
        db.asTenant(as, (tx) =>
          tx.tables<AnyTable>().insertInto('secret_note').values({ tenant_id: of, body: 'x' }).execute(),
        )
      await write(tenant, tenant)
      await expect(write(other, tenant)).rejects.toThrow(/row-level security/)
      const read = (as: string) =>
        db.asTenant(as, (tx) => tx.tables<AnyTable>().selectFrom('secret_note').selectAll().execute())
      expect(await read(tenant)).toHaveLength(1)
      expect(await read(other)).toHaveLength(0)
      const after = await db.asEngine(async (tx) => {
        const refused = tx.asTenant(tenant, async () => {
          throw new Error('no')
        })
        await expect(refused).rejects.toThrow('no')
        return (await tx.client.query<{ role: string }>('select current_user as role')).rows[0]!.role
      })
      expect(after).not.toBe('careloop_app')
      await expect(db.asTenant(tenant, (tx) => tx.client.query('select * from engine.reading_log'))).rejects.toThrow(
        /permission denied/,
      )
    })

    test('a connection goes back without role or tenant, whether its transaction committed or failed', async () => {
      const { db } = ground.engine
      await db.asTenant(tenant, (tx) => tx.client.query('select 1'))
      await db.asTenant(tenant, (tx) => tx.client.query('select no_such_column')).catch(() => {})
      const { rows } = await db.pool.query(
        `select current_user as who, current_setting('careloop.tenant', true) as tenant`,
      )
      expect(rows[0].who).not.toBe('careloop_app')
      expect(rows[0].tenant || null).toBeNull()
    })

    test('tenant work inside an engine transaction commits with it or not at all', async () => {
      const { db } = ground.engine
      const count = async () =>
        (await db.asTenant(tenant, (tx) => tx.tables<AnyTable>().selectFrom('secret_note').selectAll().execute()))
          .length
      const before = await count()
      const work = (fail: boolean) =>
        db.asEngine(async (tx) => {
          await tx.asTenant(tenant, (inner) =>
            inner.tables<AnyTable>().insertInto('secret_note').values({ tenant_id: tenant, body: 'y' }).execute(),
          )
          if (fail) throw new Error('no')
          await tx.client.query('select position from engine.log_head')
        })
      await work(true).catch(() => {})
      expect(await count()).toBe(before)
      await work(false)
      expect(await count()).toBe(before + 1)
    })

    test('what is appended before commit stands in the log if and only if the transaction commits', async () => {
      const { db, log } = ground.engine
      const before = await log.head(0)
      const work = (fail: boolean) =>
        db.asTenant(tenant, async (tx) => {
          tx.beforeCommitAppend([{ kind: 'config-changed', tenant }], ['attribution'])
          if (fail) throw new Error('no')
        })
      await work(true).catch(() => {})
      expect(await log.head(0)).toBe(before)
      const fence = await log.fence('attribution')
      await work(false)
      expect((await log.read(0, before, 10))[0]?.entries).toEqual([{ kind: 'config-changed', tenant }])
      expect(await log.fence('attribution')).toBe(fence + 1)
    })
  })
}
