import { expect, test } from 'vitest'
import { attributeBounds, droppedKey, mergeAttributes } from './attribute-bounds.ts'

const many = (from: number, count: number, value: string | number = 1) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${from + n}`, value]))

test('attributes > add up, the newest value holds, and nothing is said of dropping', () => {
  expect(mergeAttributes({ battery: 80, firmware: '1' }, { battery: 79 })).toEqual({
    attributes: { battery: 79, firmware: '1' },
    dropped: [],
  })
})

test('attributes > beyond the bound of names new ones are dropped, known ones still change', () => {
  const full = mergeAttributes({}, many(0, attributeBounds.keys)).attributes
  const { attributes, dropped } = mergeAttributes(full, { k0: 2, another: 1, more: 1 })
  expect(dropped).toEqual(['too-many', 'too-many'])
  expect(attributes).toMatchObject({ k0: 2, [droppedKey]: 'too-many' })
  expect(Object.keys(attributes)).toHaveLength(attributeBounds.keys + 1)
  expect(mergeAttributes(attributes, { k0: 3 }).dropped).toEqual([])
})

test('attributes > a text that is too long is dropped, and the one before it stays', () => {
  const { attributes, dropped } = mergeAttributes({ note: 'ok' }, { note: 'é'.repeat(600), ['k'.repeat(300)]: 1 })
  expect(dropped).toEqual(['value-too-long', 'key-too-long'])
  expect(attributes).toEqual({ note: 'ok', [droppedKey]: 'key-too-long' })
})

test('attributes > the whole stays within its bytes, also what was stored before there was a bound', () => {
  const big = many(0, 5_000, 'x'.repeat(1_000))
  const { attributes, dropped } = mergeAttributes(big, many(5_000, 100, 'y'.repeat(1_000)))
  expect(Buffer.byteLength(JSON.stringify(attributes))).toBeLessThan(attributeBounds.totalBytes + 100)
  expect(Object.keys(attributes).length).toBeGreaterThan(25)
  expect(dropped.length + Object.keys(attributes).length - 1).toBe(5_100)
})

test('attributes > a device cannot say itself that nothing was dropped', () => {
  expect(mergeAttributes({ [droppedKey]: 'too-many' }, { [droppedKey]: 'no' }).attributes).toEqual({
    [droppedKey]: 'too-many',
  })
})
