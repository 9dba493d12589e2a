/** What every reading log holds. Run on each engine. */
import type { LogEntry } from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../ports.ts'

export interface LogGround {
  readonly engine: Engine
  /** A second process on the same log. */
  another(): Engine
  stop(): Promise<void>
}

const tick = (at: number): LogEntry => ({ kind: 'tick', at })
const TENANT = '00000000-0000-7000-8000-000000000001'

const frameEntry = (text: string): LogEntry => ({
  kind: 'readings',
  tenant: TENANT,
  device: TENANT,
  assignment: TENANT,
  subject: TENANT,
  door: 'mqtt',
  receivedAt: 1_000,
  origin: 'automatic',
  sequence: 7,
  frame: { format: 'json', bytes: Buffer.from(text) },
  readings: [
    { signal: 'spo2', value: 97.25, measuredAt: 999, ordinal: 0, deviceTime: 990, flags: ['historic'] },
    { signal: 'glucose', value: { comparator: '<', limit: 40 }, measuredAt: 999, ordinal: 1, groupId: 'a' },
    { signal: 'systolic', value: { absent: 'not-a-number' }, measuredAt: 999, ordinal: 0 },
  ],
})

async function readAll(engine: Engine): Promise<{ position: number; entries: readonly LogEntry[] }[]> {
  const all: { position: number; entries: readonly LogEntry[] }[] = []
  for (let after = 0; ; after = all.at(-1)!.position) {
    const commits = await engine.log.read(0, after, 100)
    if (commits.length === 0) return all
    all.push(...commits)
  }
}

export function readingLogContract(name: string, make: () => Promise<LogGround>): void {
  describe(`reading log on ${name}`, () => {
    let ground: LogGround
    beforeAll(async () => {
      ground = await make()
    })
    afterAll(() => ground.stop())

    test('gives back exactly what was appended, also to another process', async () => {
      const { engine } = ground
      const binary = {
        ...frameEntry(''),
        frame: { format: 'profile', bytes: Buffer.from([0xff, 0, 0xfe]) },
      } as LogEntry
      const done = await engine.log.append([frameEntry('{"é":1}'), binary, tick(5)])
      for (const reader of [engine, ground.another()]) {
        const [commit] = await reader.log.read(0, done.position - 1, 10)
        expect(commit).toMatchObject({ position: done.position, storedAt: done.storedAt })
        const entries = commit!.entries.slice(done.firstIndex, done.firstIndex + 3)
        expect(JSON.parse(JSON.stringify(entries))).toEqual(
          JSON.parse(JSON.stringify([frameEntry('{"é":1}'), binary, tick(5)])),
        )
      }
    })

    test('positions are gapless and in commit order when two processes append at once', async () => {
      const [one, two] = [ground.engine, ground.another()]
      const before = await one.log.head(0)
      const done = await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          await new Promise((go) => setTimeout(go, (i * 7) % 50))
          return (i % 2 ? one : two).log.append([tick(i)])
        }),
      )
      const commits = (await readAll(one)).filter(({ position }) => position > before)
      expect(commits.map(({ position }) => position)).toEqual(commits.map((_, i) => before + 1 + i))
      expect(commits.flatMap(({ entries }) => entries)).toHaveLength(300)
      for (const [i, { position, firstIndex }] of done.entries()) {
        const commit = commits.find((each) => each.position === position)
        expect(commit?.entries[firstIndex]).toEqual(tick(i))
      }
    })

    test('a long transaction elsewhere delays no append', async () => {
      const { engine } = ground
      let release = () => {}
      const long = engine.db.asEngine(async (tx) => {
        await tx.client.query(`insert into engine.cursor values ('long', '1')`)
        await new Promise<void>((go) => {
          release = go
        })
      })
      await engine.log.append([tick(1)])
      expect((await readAll(engine)).length).toBeGreaterThan(0)
      release()
      await long
    })

    test('an append under a fence that moved is refused and leaves nothing; others of the same commit go on', async () => {
      const { engine } = ground
      const value = await engine.log.fence('attribution')
      await engine.db.asEngine((tx) => engine.log.appendWithin(tx, [tick(1)], ['attribution']))
      expect(await engine.log.fence('attribution')).toBe(value + 1)
      const before = await engine.log.head(0)
      const stale = engine.log.append([tick(2)], [{ name: 'attribution', value }])
      const fresh = engine.log.append([tick(3)], [{ name: 'attribution', value: value + 1 }])
      const free = engine.log.append([tick(4)])
      await expect(stale).rejects.toMatchObject({ code: 'fence-lost' })
      await Promise.all([fresh, free])
      const after = (await readAll(engine))
        .filter(({ position }) => position > before)
        .flatMap(({ entries }) => entries)
      expect(after).toEqual([tick(3), tick(4)])
    })

    test('a rolled back appendWithin leaves no gap', async () => {
      const { engine } = ground
      const before = await engine.log.head(0)
      await expect(
        engine.db.asEngine(async (tx) => {
          await engine.log.appendWithin(tx, [tick(8)])
          throw new Error('no')
        }),
      ).rejects.toThrow('no')
      const done = await engine.log.append([tick(9)])
      expect(done.position).toBe(before + 1)
    })

    test('waitFor wakes on an append of this process and of another', async () => {
      for (const writer of [ground.engine, ground.another()]) {
        const head = await ground.engine.log.head(0)
        const woken = ground.engine.log.waitFor(0, head, 10_000)
        await writer.log.append([tick(1)])
        await woken
        expect((await ground.engine.log.read(0, head, 10)).length).toBeGreaterThan(0)
      }
    })

    test('refuses beyond its bounded queue, and says so', async () => {
      const { engine } = ground
      const big = { ...frameEntry(''), frame: { format: 'profile', bytes: Buffer.alloc(8 << 20) } } as LogEntry
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => engine.log.append([big])))
      const refused = results.filter((result) => result.status === 'rejected')
      expect(refused.length).toBeGreaterThan(0)
      for (const result of refused)
        expect(result.reason).toMatchObject({ code: 'log-overloaded', retryAfterSeconds: 2 })
      await engine.log.append([tick(1)])
      await new Promise((go) => setImmediate(go))
      expect(engine.log.pressure()).toBe(0)
    })
  })
}
