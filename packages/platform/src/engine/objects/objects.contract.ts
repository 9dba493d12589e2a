import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ManualClock } from '../clock/manual-clock.ts'
import type { ObjectStore } from './object-store.ts'

export interface ObjectsGround {
  readonly store: ObjectStore
  readonly clock: ManualClock
  stop(): Promise<void>
}

const DAY_MS = 86_400_000

export function objectsContract(name: string, make: () => Promise<ObjectsGround>): void {
  let ground: ObjectsGround
  beforeAll(async () => {
    ground = await make()
  })
  afterAll(() => ground.stop())
  const listed = async (prefix: string) => {
    const found = []
    for await (const each of ground.store.list(prefix)) found.push(each)
    return found
  }

  describe(`objects: ${name}`, () => {
    it('gives back what was put, from nothing to megabytes, and null for what was not', async () => {
      for (const size of [0, 1, 3_000_000]) {
        const bytes = randomBytes(size)
        await ground.store.put(`sizes/${size}.bin`, bytes)
        expect((await ground.store.get(`sizes/${size}.bin`))?.equals(bytes)).toBe(true)
      }
      expect(await ground.store.get('sizes/2.bin')).toBeNull()
      expect(await ground.store.get('sizes')).toBeNull()
    })

    it('takes other bytes under a key that nothing holds', async () => {
      await ground.store.put('again', Buffer.from('one'))
      await ground.store.put('again', Buffer.from('two'))
      expect(String(await ground.store.get('again'))).toBe('two')
    })

    it('lists by prefix in the order of the keys, over several pages, with sizes and times', async () => {
      const keys = ['a/10', 'a/2', 'a/b/1', 'a=1', 'ab', 'b/1', 'a/Z']
      for (const key of keys) await ground.store.put(`list/${key}`, Buffer.from(key))
      expect((await listed('list/')).map(({ key }) => key)).toEqual([...keys].map((key) => `list/${key}`).sort())
      const [first, ...others] = await listed('list/a/')
      expect(others.map(({ key }) => key)).toEqual(['list/a/2', 'list/a/Z', 'list/a/b/1'])
      expect(first).toMatchObject({ key: 'list/a/10', bytes: 4 })
      expect(first!.modifiedAt).toBeGreaterThan(Date.UTC(2025, 0))
      expect((await listed('list/a')).length).toBe(6)
      expect(await listed('nothing/')).toEqual([])
    })

    it('deletes for good, once or twice', async () => {
      await ground.store.put('gone', Buffer.from('one'))
      await ground.store.put('gone', Buffer.from('two'))
      await ground.store.delete('gone')
      await ground.store.delete('gone')
      expect(await ground.store.get('gone')).toBeNull()
      expect(await listed('gone')).toEqual([])
    })

    it('holds what is retained until its time has come: neither replaced nor removed', async () => {
      const retainUntil = new Date(ground.clock.now() + DAY_MS)
      await ground.store.put('held', Buffer.from('one'), { retainUntil })
      await ground.store.put('held', Buffer.from('one'), { retainUntil })
      const refused = { code: 'object-retained' }
      const replaced = ground.store.put('held', Buffer.from('two'), { retainUntil })
      await expect(replaced).rejects.toMatchObject(refused)
      await expect(ground.store.delete('held')).rejects.toMatchObject(refused)
      expect(String(await ground.store.get('held'))).toBe('one')
      await ground.clock.advance(DAY_MS + 1)
      await ground.store.delete('held')
      expect(await ground.store.get('held')).toBeNull()
    })

    it.each(['', '../x', 'a/../b', '/a', 'a//b', '.hidden', 'a b', 'ä', 'a/.retained'])(
      'takes no key %j',
      async (key) => {
        await expect((async () => ground.store.put(key, Buffer.alloc(1)))()).rejects.toThrow('an object key')
        await expect((async () => ground.store.get(key))()).rejects.toThrow('an object key')
      },
    )
  })
}
