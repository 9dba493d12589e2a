import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db, Keys } from '../ports.ts'
import { openBytes } from './sealed.ts'

/** Two processes of one installation, as the suite needs them. */
export interface KeysGround {
  readonly db: Db
  readonly keys: Keys
  /** The keys of another process: own memory, same database, same master keys. */
  readonly other: Keys
  /** The keys of a process that has only the master key given: a restart after rotation. */
  only(master: Uint8Array): Keys
  /** False: the keeper of the master key takes and gives no bytes. Default true. */
  readonly givesOutKeys?: boolean
  /** Lets enough time pass for a process to learn what another destroyed. */
  pass(): Promise<void>
  tenant(): Promise<string>
  stop(): Promise<void>
}

const text = (value: string) => Buffer.from(value, 'utf8')

export function keysContract(name: string, make: () => Promise<KeysGround>): void {
  let ground: KeysGround
  beforeAll(async () => {
    ground = await make()
  })
  afterAll(() => ground.stop())
  const madeIn = (tenant: string) => ground.db.asTenant(tenant, (tx) => ground.keys.create(tx, 'subject', randomUUID()))

  describe(`keys: ${name}`, () => {
    describe('sealing', () => sealing(() => ground))
    describe('making', () => making(() => ground))
    describe('destroying', () => destroying(() => ground, madeIn))
    describe('indexing', () => indexing(() => ground))
    // Last: it leaves every row under another master key.
    describe('rotating', () => rotating(() => ground, madeIn))
  })
}

type Get = () => KeysGround

function sealing(get: Get): void {
  it('opens what it sealed, in another process too, and nowhere else than it belongs', async () => {
    const { keys, other } = get()
    const key = await keys.keyFor('blob', randomUUID())
    const sealed = key.seal(text('Zebulon'), 'row 1')
    expect(sealed).toHaveLength(7 + 29)
    expect(sealed[0]).toBe(1)
    expect(sealed.includes('Zebulon')).toBe(false)
    expect((await other.key(key.id)).open(sealed, 'row 1').toString()).toBe('Zebulon')
    expect(openBytes(key.raw, sealed, 'row 1').toString()).toBe('Zebulon')
    expect(() => key.open(sealed, 'row 2')).toThrow(expect.objectContaining({ code: 'seal-broken' }))
  })

  it('notices every changed, missing or added byte', async () => {
    const key = await get().keys.keyFor('blob', randomUUID())
    const sealed = key.seal(text('120/80'), 'a')
    const broken = expect.objectContaining({ code: 'seal-broken' })
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed)
      changed[at] = changed[at]! ^ 1
      expect(() => key.open(changed, 'a')).toThrow(broken)
      expect(() => key.open(sealed.subarray(0, at), 'a')).toThrow(broken)
    }
    expect(() => key.open(Buffer.concat([sealed, Buffer.of(0)]), 'a')).toThrow(broken)
  })

  it('never seals alike twice', async () => {
    const key = await get().keys.keyFor('blob', randomUUID())
    const seen = new Set(Array.from({ length: 1_000 }, () => key.seal(text('same'), 'a').toString('hex')))
    expect(seen.size).toBe(1_000)
  })
}

function making(get: Get): void {
  it('makes one key for an owner, whoever asks first and how many ask at once', async () => {
    const { keys, other } = get()
    const day = `2026-01-${randomUUID()}`
    const asked = await Promise.all([keys, other, keys, other].map((each) => each.keyFor('log-day', day)))
    expect(new Set(asked.map((key) => key.id)).size).toBe(1)
    expect(asked[1]!.open(asked[0]!.seal(text('x'), 'a'), 'a').toString()).toBe('x')
    expect((await keys.keyFor('log-day', `${day}-next`)).id).not.toBe(asked[0]!.id)
  })

  it('seals inside the transaction that makes the key, and finds it by owner after the commit', async () => {
    const { db, keys, tenant } = get()
    const [subject, own] = [randomUUID(), await tenant()]
    const made = await db.asTenant(own, async (tx) => {
      const id = await keys.create(tx, 'subject', subject)
      await expect(keys.keyFor('subject', subject)).rejects.toMatchObject({ code: 'key-pending' })
      return { id, sealed: (await keys.key(id)).seal(text('x'), 'a') }
    })
    const key = await keys.keyFor('subject', subject)
    expect(key.id).toBe(made.id)
    expect(key.open(made.sealed, 'a').toString()).toBe('x')
  })

  it('forgets a key whose transaction rolled back: its owner gets another that is in the database', async () => {
    const { db, keys, other, tenant } = get()
    const [subject, own] = [randomUUID(), await tenant()]
    let lost = ''
    const rolledBack = db.asTenant(own, async (tx) => {
      lost = await keys.create(tx, 'subject', subject)
      throw new Error('rolled back')
    })
    await expect(rolledBack).rejects.toThrow('rolled back')
    await expect(other.key(lost)).rejects.toMatchObject({ code: 'key-unknown' })
    const key = await other.keyFor('subject', subject)
    expect(key.id).not.toBe(lost)
    expect((await other.key(key.id)).id).toBe(key.id)
  })

  it('refuses a second living key for an owner', async () => {
    const { db, keys, tenant } = get()
    const [subject, own] = [randomUUID(), await tenant()]
    await db.asTenant(own, (tx) => keys.create(tx, 'subject', subject))
    const second = db.asTenant(own, (tx) => keys.create(tx, 'subject', subject))
    await expect(second).rejects.toMatchObject({ code: 'key-exists' })
    const third = db.asEngine((tx) => keys.create(tx, 'subject', subject))
    await expect(third).rejects.toMatchObject({ code: 'key-exists' })
  })

  it('lets a tenant make no key of the engine and none of another tenant, and see none at all', async () => {
    const { db, keys, tenant } = get()
    const [own, foreign] = [await tenant(), await tenant()]
    const denied = { code: '42501' }
    await expect(db.asTenant(own, (tx) => keys.create(tx, 'ca', 'x'))).rejects.toMatchObject(denied)
    await expect(db.asTenant(own, (tx) => keys.create(tx, 'log-day', '2026-01-05'))).rejects.toMatchObject(denied)
    await expect(db.asTenant(own, (tx) => keys.create(tx, 'quarantine', foreign))).rejects.toMatchObject(denied)
    const look = db.asTenant(own, (tx) => tx.client.query('select * from engine.data_key'))
    await expect(look).rejects.toMatchObject(denied)
  })

  it('says so when there is no such key', async () => {
    await expect(get().keys.key(randomUUID())).rejects.toMatchObject({ code: 'key-unknown' })
  })
}

function destroying(get: Get, madeIn: (tenant: string) => Promise<string>): void {
  it('makes what it sealed unreadable for ever, here and in other processes, also for who holds the key', async () => {
    const { db, keys, other, tenant, pass } = get()
    const own = await tenant()
    const id = await madeIn(own)
    const [held, heldElsewhere] = [await keys.key(id), await other.key(id)]
    const sealed = held.seal(text('x'), 'a')
    await db.asTenant(own, (tx) => keys.destroy(tx, id))
    const destroyed = { code: 'key-destroyed' }
    await expect(keys.key(id)).rejects.toMatchObject(destroyed)
    expect(() => held.open(sealed, 'a')).toThrow(expect.objectContaining(destroyed))
    expect(() => held.seal(text('y'), 'a')).toThrow(expect.objectContaining(destroyed))
    expect(() => held.raw).toThrow(expect.objectContaining(destroyed))
    await pass()
    await expect(other.key(id)).rejects.toMatchObject(destroyed)
    expect(() => heldElsewhere.open(sealed, 'a')).toThrow(expect.objectContaining(destroyed))
  })

  it('is known in another process at once when that asks', async () => {
    const { db, keys, other, tenant } = get()
    const own = await tenant()
    const id = await madeIn(own)
    await other.key(id)
    await other.refresh()
    await db.asTenant(own, (tx) => keys.destroy(tx, id))
    expect((await other.key(id)).id).toBe(id)
    await other.refresh()
    await expect(other.key(id)).rejects.toMatchObject({ code: 'key-destroyed' })
  })

  it('keeps the id in the erasure ledger without the key, and may be repeated', async () => {
    const { db, keys, tenant } = get()
    const own = await tenant()
    const id = await madeIn(own)
    await db.asTenant(own, (tx) => keys.destroy(tx, id))
    await db.asTenant(own, (tx) => keys.destroy(tx, id))
    await db.asEngine((tx) => keys.destroy(tx, id))
    const { rows } = await db.pool.query('select wrapped, destroyed_at from engine.data_key where id = $1', [id])
    expect(rows).toEqual([{ wrapped: null, destroyed_at: expect.any(Date) }])
  })

  it('gives an owner whose key was destroyed no new one by itself', async () => {
    const { db, keys, other, tenant } = get()
    const [subject, own] = [randomUUID(), await tenant()]
    const id = await db.asTenant(own, (tx) => keys.create(tx, 'subject', subject))
    await db.asTenant(own, (tx) => keys.destroy(tx, id))
    await expect(keys.keyFor('subject', subject)).rejects.toMatchObject({ code: 'key-destroyed' })
    await expect(other.keyFor('subject', subject)).rejects.toMatchObject({ code: 'key-destroyed' })
  })

  it('destroys nothing when the transaction rolls back', async () => {
    const { db, keys, tenant } = get()
    const own = await tenant()
    const id = await madeIn(own)
    const rolledBack = db.asTenant(own, async (tx) => {
      await keys.destroy(tx, id)
      throw new Error('rolled back')
    })
    await expect(rolledBack).rejects.toThrow('rolled back')
    expect((await keys.key(id)).seal(text('x'), 'a')).toHaveLength(30)
  })

  it('lets a tenant destroy its own keys only, and never the tenant key itself', async () => {
    const { db, keys, tenant } = get()
    const [own, foreign] = [await tenant(), await tenant()]
    const id = await madeIn(foreign)
    const tenantKey = await keys.keyFor('tenant', own)
    const unknown = { code: 'key-unknown' }
    await expect(db.asTenant(own, (tx) => keys.destroy(tx, id))).rejects.toMatchObject(unknown)
    await expect(db.asTenant(own, (tx) => keys.destroy(tx, tenantKey.id))).rejects.toMatchObject(unknown)
    expect((await keys.key(id)).id).toBe(id)
    expect((await keys.key(tenantKey.id)).id).toBe(tenantKey.id)
  })
}

function indexing(get: Get): void {
  it('gives one value one HMAC within a tenant and purpose, others elsewhere', async () => {
    const { keys, other, tenant } = get()
    const [own, foreign] = [await tenant(), await tenant()]
    const one = await keys.hmac(own, 'mrn', '4471')
    expect(one).toHaveLength(32)
    expect(await other.hmac(own, 'mrn', '4471')).toEqual(one)
    const elsewhere = [
      await keys.hmac(own, 'mrn', '4472'),
      await keys.hmac(own, 'phone', '4471'),
      await keys.hmac(foreign, 'mrn', '4471'),
    ]
    for (const each of elsewhere) expect(each).not.toEqual(one)
  })
}

function rotating(get: Get, madeIn: (tenant: string) => Promise<string>): void {
  it('wraps every key anew; old and new processes read on; the old master key alone opens nothing', async () => {
    const { db, keys, other, only, tenant, givesOutKeys = true } = get()
    const own = await tenant()
    const ids = await Promise.all(Array.from({ length: 5 }, () => madeIn(own)))
    const sealed = (await keys.key(ids[0]!)).seal(text('x'), 'a')
    const living = await db.pool.query('select id from engine.data_key where destroyed_at is null')
    const [next, another] = [randomBytes(32), randomBytes(32)]

    if (givesOutKeys) await expect(only(another).key(ids[0]!)).rejects.toMatchObject({ code: 'master-key-missing' })
    expect(await keys.rotateMaster(next)).toEqual({ rewrapped: living.rows.length })
    expect(await keys.finishRotation()).toEqual({ rewrapped: 0 })
    expect(await keys.master()).toMatchObject({ behind: 0 })
    for (const id of ids) expect((await other.key(id)).id).toBe(id)
    expect((await only(next).key(ids[0]!)).open(sealed, 'a').toString()).toBe('x')
    if (givesOutKeys) await expect(only(another).key(ids[1]!)).rejects.toMatchObject({ code: 'master-key-missing' })
  })

  it('is done once when two processes do it at once, while others make keys', async () => {
    const { db, keys, other, tenant } = get()
    const own = await tenant()
    await Promise.all(Array.from({ length: 5 }, () => madeIn(own)))
    await keys.rotateMaster(randomBytes(32))
    const [a, b, ...made] = await Promise.all([
      keys.rotateMaster(randomBytes(32)),
      other.finishRotation(),
      ...Array.from({ length: 10 }, () => madeIn(own)),
    ])
    expect(a.rewrapped + b.rewrapped).toBeGreaterThan(0)
    await other.finishRotation()
    expect(await other.master()).toMatchObject({ behind: 0 })
    const { rows } = await db.pool.query('select distinct master_id from engine.data_key where destroyed_at is null')
    expect(rows).toEqual([{ master_id: (await keys.master()).current }])
    for (const id of made) expect((await other.key(id)).id).toBe(id)
  })

  it('gives a key that was kept outside the database back to whoever has the master key, at its own place only', async () => {
    const { keys, other } = get()
    const key = await keys.keyFor('ledger', 'erasures')
    const kept = await keys.exportWrapped(key.id)
    expect((await other.openWrapped(kept)).hmac('a', 'b')).toEqual(key.hmac('a', 'b'))
    await keys.rotateMaster(randomBytes(32))
    expect((await other.openWrapped(kept)).hmac('a', 'b')).toEqual(key.hmac('a', 'b'))
    await expect(other.openWrapped({ ...kept, owner: 'x' })).rejects.toMatchObject({ code: 'seal-broken' })
  })

  it('goes on where a rotation broke off', async () => {
    const { db, keys, only, tenant } = get()
    const own = await tenant()
    const ids = await Promise.all(Array.from({ length: 3 }, () => madeIn(own)))
    const next = randomBytes(32)
    // One row that cannot be read stops the rotation; the rows before it may have been wrapped anew already.
    await db.pool.query(`update engine.data_key set wrapped = wrapped || '\\x41' where id = $1`, [ids[2]])
    await expect(keys.rotateMaster(next)).rejects.toMatchObject({ code: 'seal-broken' })
    await db.pool.query('update engine.data_key set wrapped = substr(wrapped, 1, length(wrapped) - 1) where id = $1', [
      ids[2],
    ])
    await keys.rotateMaster(next)
    const fresh = only(next)
    for (const id of ids) expect((await fresh.key(id)).id).toBe(id)
  })

  it('refuses a key whose row was given to another owner', async () => {
    const { db, other, tenant } = get()
    const id = await madeIn(await tenant())
    await db.pool.query('update engine.data_key set owner = $2 where id = $1', [id, randomUUID()])
    await expect(other.key(id)).rejects.toMatchObject({ code: 'seal-broken' })
  })
}
