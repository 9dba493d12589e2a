import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Blobs, Keys } from '../ports.ts'

export interface BlobsGround {
  readonly blobs: Blobs
  readonly keys: Keys
  destroyKey(id: string): Promise<void>
  /** The bytes as they lie in the store; null when they are gone. */
  stored(ref: string): Promise<Buffer | null>
  /** Puts other bytes in their place, or none. */
  damage(ref: string, bytes: Buffer | null): Promise<void>
  stop(): Promise<void>
}

export function blobsContract(name: string, make: () => Promise<BlobsGround>): void {
  let ground: BlobsGround
  beforeAll(async () => {
    ground = await make()
  })
  afterAll(() => ground.stop())
  const newKey = async () => (await ground.keys.keyFor('blob', randomUUID())).id

  describe(`blobs: ${name}`, () => {
    it('gives back what was put, from nothing to megabytes', async () => {
      const keyId = await newKey()
      for (const size of [0, 1, 65_536, 3_000_000]) {
        const bytes = randomBytes(size)
        const ref = await ground.blobs.put(bytes, keyId)
        expect((await ground.blobs.get(ref)).equals(bytes)).toBe(true)
      }
    })

    it('stores nothing in plaintext', async () => {
      const ref = await ground.blobs.put(Buffer.from('Quackenbush, Zebulon'), await newKey())
      const stored = await ground.stored(ref)
      expect(stored).toHaveLength(20 + 29)
      expect(stored!.includes('Quackenbush')).toBe(false)
    })

    it('says so when a blob was damaged, exchanged for another, cut or lost', async () => {
      const keyId = await newKey()
      const [ref, other] = [
        await ground.blobs.put(Buffer.from('one'), keyId),
        await ground.blobs.put(Buffer.from('two'), keyId),
      ]
      const bytes = (await ground.stored(ref))!
      const changed = Buffer.from(bytes)
      changed[20]! ^= 1
      for (const wrong of [changed, (await ground.stored(other))!, bytes.subarray(0, 10)]) {
        await ground.damage(ref, wrong)
        await expect(ground.blobs.get(ref)).rejects.toMatchObject({ code: 'seal-broken' })
      }
      await ground.damage(ref, null)
      await expect(ground.blobs.get(ref)).rejects.toMatchObject({ code: 'blob-missing' })
    })

    it('knows no blob that was never put, whatever the reference looks like', async () => {
      for (const ref of [randomUUID(), '', '../../etc/passwd', `${randomUUID()}/..`])
        await expect(ground.blobs.get(ref)).rejects.toMatchObject({ code: 'blob-missing' })
    })

    it('deletes a blob for good, once or twice', async () => {
      const ref = await ground.blobs.put(Buffer.from('x'), await newKey())
      await ground.blobs.delete(ref)
      await ground.blobs.delete(ref)
      await expect(ground.blobs.get(ref)).rejects.toMatchObject({ code: 'blob-missing' })
      expect(await ground.stored(ref)).toBeNull()
    })

    it('deletes all that was sealed under one key, and nothing else', async () => {
      const [keyId, other] = [await newKey(), await newKey()]
      const refs = [await ground.blobs.put(Buffer.from('x'), keyId), await ground.blobs.put(Buffer.from('y'), keyId)]
      const kept = await ground.blobs.put(Buffer.from('z'), other)
      await ground.destroyKey(keyId)
      await ground.blobs.deleteUnder(keyId)
      for (const ref of refs) expect(await ground.stored(ref)).toBeNull()
      expect((await ground.blobs.get(kept)).toString()).toBe('z')
    })

    it('cannot be read once its key is destroyed', async () => {
      const keyId = await newKey()
      const ref = await ground.blobs.put(Buffer.from('x'), keyId)
      await ground.destroyKey(keyId)
      await expect(ground.blobs.get(ref)).rejects.toMatchObject({ code: 'key-destroyed' })
      await expect(ground.blobs.put(Buffer.from('y'), keyId)).rejects.toMatchObject({ code: 'key-destroyed' })
    })
  })
}
