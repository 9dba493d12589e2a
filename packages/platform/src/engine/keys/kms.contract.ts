import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MasterKeys, Wrapped } from './master-key.ts'

/** A keeper of master keys, as the suite needs it. */
export interface KmsGround {
  readonly keys: MasterKeys
  /** The same keeper as another process sees it. */
  other(): Promise<MasterKeys>
  stop(): Promise<void>
}

const place = 'careloop data key\nid\nsubject\nowner'
const broken = { code: 'seal-broken' }

/** What every keeper of master keys does alike, whether it gives out its bytes or not. */
export function kmsContract(name: string, make: () => Promise<KmsGround>): void {
  let ground: KmsGround
  beforeAll(async () => {
    ground = await make()
  })
  afterAll(() => ground.stop())

  describe(`master keys: ${name}`, () => {
    it('unwraps what it wrapped, in another process too, and shows no byte of it', async () => {
      const { keys, other } = ground
      const bytes = randomBytes(32)
      const kept = await keys.wrap(bytes, place)
      expect(kept.masterId).toBe(await keys.current())
      for (const form of ['hex', 'base64', 'latin1'] as const)
        expect(kept.wrapped.toString('latin1')).not.toContain(bytes.toString(form))
      expect(await (await other()).unwrap(kept, place)).toEqual(bytes)
      expect((await keys.wrap(bytes, place)).wrapped).not.toEqual(kept.wrapped)
    })

    it('unwraps at its own place only, and no changed bytes', async () => {
      const { keys } = ground
      const kept = await keys.wrap(randomBytes(32), place)
      await expect(keys.unwrap(kept, `${place}2`)).rejects.toMatchObject(broken)
      const changed = Buffer.from(kept.wrapped)
      changed[changed.length - 5] = changed[changed.length - 5]! ^ 1
      await expect(keys.unwrap({ ...kept, wrapped: changed }, place)).rejects.toMatchObject(broken)
    })

    it('wraps with a new key after a rotation, unwraps by the old one, and rewraps in order', async () => {
      const { keys, other } = ground
      const before = await keys.current()
      const all = [randomBytes(32), randomBytes(32), randomBytes(32)]
      const places = all.map((_, index) => `${place} ${index}`)
      const old: Wrapped[] = []
      for (const [index, bytes] of all.entries()) old.push(await keys.wrap(bytes, places[index]!))
      const now = await keys.rotate()
      expect(now).not.toBe(before)
      expect(await (await other()).current()).toBe(now)
      expect([await keys.has(before), await keys.has(now), await keys.has('0'.repeat(16))]).toEqual([true, true, false])
      expect(await keys.unwrap(old[0]!, places[0]!)).toEqual(all[0])
      const next = await keys.rewrap(old.map((each, index) => ({ ...each, place: places[index]! })))
      expect(next.map(({ masterId }) => masterId)).toEqual([now, now, now])
      for (const [index, each] of next.entries()) expect(await keys.unwrap(each, places[index]!)).toEqual(all[index])
      expect(await keys.rewrap([])).toEqual([])
    })

    it('rewraps no key that belongs elsewhere, and says which master key it does not have', async () => {
      const { keys } = ground
      const kept = await keys.wrap(randomBytes(32), place)
      await expect(keys.rewrap([{ ...kept, place: 'elsewhere' }])).rejects.toMatchObject(broken)
      await expect(keys.unwrap({ ...kept, masterId: '0'.repeat(16) }, place)).rejects.toMatchObject({
        code: 'master-key-missing',
      })
      expect(keys.trouble()).toBe(null)
    })
  })
}
