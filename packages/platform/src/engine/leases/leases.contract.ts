import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db, Leases } from '../ports.ts'

/** One process as the suite needs it: its leases, and its own watch, which a test moves. */
export interface LeaseProcess {
  readonly leases: Leases
  /** Lets time pass in this process, heartbeats and all. */
  pass(ms: number): Promise<void>
  /** Cuts it off from the database, and reconnects it. */
  setAway(away: boolean): void
}

export interface LeasesGround {
  readonly db: Db
  process(): LeaseProcess
  /** Lets a lease run out in the database, as if its time to live had passed there. */
  expire(name: string): Promise<void>
  /** How long a lease still has in the database, ms; negative when it has run out. */
  left(name: string): Promise<number>
  stop(): Promise<void>
}

const TTL = 60_000

export function leasesContract(name: string, make: () => Promise<LeasesGround>): void {
  let ground: LeasesGround
  beforeAll(async () => {
    ground = await make()
  })
  afterAll(() => ground.stop())

  describe(`leases: ${name}`, () => {
    describe('taking', () => taking(() => ground))
    describe('keeping', () => keeping(() => ground))
    describe('fencing', () => fencing(() => ground))
  })
}

type Get = () => LeasesGround
const lost = { code: 'lease-lost' }

function taking(get: Get): void {
  it('gives a free lease to one of many who ask at once', async () => {
    const asked = await Promise.all(Array.from({ length: 6 }, () => get().process().leases.acquire('a', TTL)))
    const holders = asked.filter((lease) => lease !== null)
    expect(holders).toHaveLength(1)
    expect(holders[0]!.token).toBe(1)
    await holders[0]!.release()
  })

  it('gives a released or expired lease to the next, with a greater token', async () => {
    const [one, other] = [get().process(), get().process()]
    const first = (await one.leases.acquire('b', TTL))!
    expect(await other.leases.acquire('b', TTL)).toBeNull()
    await first.release()
    expect(first.signal.aborted).toBe(true)
    const second = (await other.leases.acquire('b', TTL))!
    await get().expire('b')
    const third = (await one.leases.acquire('b', TTL))!
    expect([first.token, second.token, third.token]).toEqual([1, 2, 3])
    await Promise.all([second.release(), third.release()])
  })

  it('keeps leases of other names apart', async () => {
    const { leases } = get().process()
    const [one, other] = [await leases.acquire('c1', TTL), await leases.acquire('c2', TTL)]
    expect(one && other).toBeTruthy()
    await Promise.all([one!.release(), other!.release()])
  })

  it('does not give away what a late release belongs to no longer', async () => {
    const [one, other] = [get().process(), get().process()]
    const first = (await one.leases.acquire('d', TTL))!
    await get().expire('d')
    const second = (await other.leases.acquire('d', TTL))!
    await first.release()
    expect(await one.leases.acquire('d', TTL)).toBeNull()
    await second.release()
  })
}

function keeping(get: Get): void {
  it('renews by heartbeat for as long as the holder lives', async () => {
    const one = get().process()
    const lease = (await one.leases.acquire('e', TTL))!
    for (let beat = 0; beat < 4; beat++) {
      await get().expire('e') // nobody took it: the heartbeat may still save it
      await one.pass(TTL / 3)
      expect(await get().left('e')).toBeGreaterThan(TTL / 2)
    }
    expect(lease.signal.aborted).toBe(false)
    await lease.release()
  })

  it('tells the holder in time, before the database would give it to another, when it cannot renew', async () => {
    const one = get().process()
    const lease = (await one.leases.acquire('f', TTL))!
    one.setAway(true)
    await one.pass(TTL * 0.8)
    expect(lease.signal.aborted).toBe(false)
    await one.pass(TTL * 0.1)
    expect(lease.signal.aborted).toBe(true)
    expect(lease.signal.reason).toMatchObject(lost)
    one.setAway(false)
  })

  it('lives through a short absence of the database', async () => {
    const one = get().process()
    const lease = (await one.leases.acquire('g', TTL))!
    one.setAway(true)
    await one.pass(TTL * 0.6)
    one.setAway(false)
    await one.pass(TTL * 0.2)
    await one.pass(TTL * 0.5)
    expect(lease.signal.aborted).toBe(false)
    await lease.release()
  })

  it('tells a holder at its next heartbeat that another took the lease', async () => {
    const [one, other] = [get().process(), get().process()]
    const first = (await one.leases.acquire('h', TTL))!
    await get().expire('h')
    const second = (await other.leases.acquire('h', TTL))!
    await one.pass(TTL / 3)
    expect(first.signal.aborted).toBe(true)
    expect(second.signal.aborted).toBe(false)
    await second.release()
  })
}

function fencing(get: Get): void {
  const write = (lease: { assertHeld: (tx: never) => Promise<void> } | null, value: string, cursor: string) =>
    get().db.asEngine(async (tx) => {
      await lease!.assertHeld(tx as never)
      await tx.client.query(
        `insert into engine.cursor (name, position) values ($1, $2) on conflict (name) do update set position = $2`,
        [cursor, value],
      )
    })

  it('refuses what a paused holder writes after another took over, and keeps what the new one wrote', async () => {
    const [paused, other] = [get().process(), get().process()]
    const cursor = `fenced ${randomUUID()}`
    const first = await paused.leases.acquire('i', TTL)
    await write(first, 'first', cursor)
    // The process is stopped here (SIGSTOP): no heartbeat, no timer, its signal has not aborted.
    await get().expire('i')
    const second = await other.leases.acquire('i', TTL)
    await write(second, 'second', cursor)
    expect(first!.signal.aborted).toBe(false)
    await expect(write(first, 'late', cursor)).rejects.toMatchObject(lost)
    expect(first!.signal.aborted).toBe(true)
    expect(await get().db.cursor(cursor)).toBe('second')
    await second!.release()
  })

  it('gives the lease to nobody while a transaction that asserted it still runs, and heartbeats go on', async () => {
    const [one, other] = [get().process(), get().process()]
    const lease = (await one.leases.acquire('j', TTL))!
    const within = await get().db.asEngine(async (tx) => {
      await lease.assertHeld(tx)
      await get().expire('j')
      const taken = await other.leases.acquire('j', TTL)
      await one.pass(TTL / 3)
      return { taken, left: await get().left('j') }
    })
    expect(within.taken).toBeNull()
    expect(within.left).toBeGreaterThan(TTL / 2)
    await get().expire('j')
    const next = await other.leases.acquire('j', TTL)
    expect(next?.token).toBe(2)
    await Promise.all([lease.release(), next!.release()])
  })

  it('refuses a holder that has let go', async () => {
    const { leases } = get().process()
    const lease = (await leases.acquire('k', TTL))!
    await lease.release()
    await expect(write(lease, 'late', 'k')).rejects.toMatchObject(lost)
  })
}
