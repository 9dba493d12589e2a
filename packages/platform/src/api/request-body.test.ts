import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { parseJson, readBytes } from './request-body.ts'

const bounds = { maxBytes: 1_000, maxInflatedBytes: 5_000 }
const read = (bytes: Buffer, headers: Record<string, string> = {}) =>
  readBytes(Readable.from(chunked(bytes)), headers, bounds)
const gzip = { 'content-encoding': 'gzip' }

function* chunked(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100)
}

test('api > reads a body as sent, and a gzipped one inflated', async () => {
  const text = Buffer.from('{"values":{"temperature":4.5}}')
  expect(await read(text)).toEqual(text)
  expect(await read(gzipSync(text), gzip)).toEqual(text)
  expect(await read(Buffer.alloc(0))).toEqual(Buffer.alloc(0))
})

test('api > refuses a body larger than its bound, whether it says its length or not', async () => {
  const large = Buffer.alloc(1_001)
  await expect(read(large)).rejects.toMatchObject({ code: 'body-too-large', pointer: '/body' })
  await expect(read(Buffer.alloc(1), { 'content-length': '1001' })).rejects.toMatchObject({ code: 'body-too-large' })
})

test('api > refuses a small gzip bomb without holding what it inflates to', async () => {
  const bomb = gzipSync(Buffer.alloc(600_000))
  expect(bomb.length).toBeLessThan(1_000)
  await expect(read(bomb, gzip)).rejects.toMatchObject({ code: 'body-too-large' })
})

test('api > a gzip stream that is too large as sent is told so, not called damaged', async () => {
  const noise = Buffer.from(Array.from({ length: 4_000 }, (_, at) => (at * 7919 + ((at * at) >> 3)) & 255))
  expect(gzipSync(noise).length).toBeGreaterThan(1_000)
  await expect(read(gzipSync(noise), gzip)).rejects.toMatchObject({ code: 'body-too-large' })
})

test('api > refuses a damaged or cut gzip stream, and an encoding it does not know', async () => {
  const good = gzipSync(Buffer.from('hello hello hello'))
  await expect(read(good.subarray(0, good.length - 6), gzip)).rejects.toMatchObject({ code: 'body-broken' })
  await expect(read(Buffer.from('not gzip'), gzip)).rejects.toMatchObject({ code: 'body-broken' })
  await expect(read(good, { 'content-encoding': 'br' })).rejects.toMatchObject({ code: 'encoding-unsupported' })
})

test.each([Buffer.from('{"name": "Ana Lopez",'), Buffer.from([0x22, 0xff, 0x22]), Buffer.alloc(0)])(
  'api > refuses what is not JSON in UTF-8 without quoting it (%#)',
  (bytes) => {
    expect(() => parseJson(bytes)).toThrowError(expect.objectContaining({ code: 'body-not-json', pointer: '/body' }))
    expect(() => parseJson(bytes)).not.toThrowError(/Lopez/)
  },
)
