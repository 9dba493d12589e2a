import { expect, test } from 'vitest'
import { makeGather } from './gather.ts'

/** Look-ups that wait until they are let go. */
function held() {
  const looked: { keys: readonly string[]; answer(): void; fail(error: Error): void }[] = []
  const one = makeGather<string, string>(
    (keys) =>
      new Promise((resolve, reject) => {
        looked.push({ keys, answer: () => resolve(keys.map((key) => key.toUpperCase())), fail: reject })
      }),
  )
  return { one, looked, next: (count: number) => expect.poll(() => looked.length).toBe(count) }
}

test('gather > one look-up for all who ask at once, each with their own answer', async () => {
  const { one, looked, next } = held()
  const all = Promise.all([one('a'), one('b'), one('a')])
  await next(1)
  looked[0]!.answer()
  expect(await all).toEqual(['A', 'B', 'A'])
  expect(looked.map(({ keys }) => keys)).toEqual([['a', 'b', 'a']])
})

test('gather > who asks while a look-up runs is not answered by it: what was taken away meanwhile would be found', async () => {
  const { one, looked, next } = held()
  const before = one('a')
  await next(1)
  const after = Promise.all([one('a'), one('b')])
  looked[0]!.answer()
  expect(await before).toBe('A')
  await next(2)
  expect(looked[1]!.keys).toEqual(['a', 'b'])
  looked[1]!.answer()
  expect(await after).toEqual(['A', 'B'])
})

test('gather > a look-up that fails fails those who asked, and the next goes on', async () => {
  const { one, looked, next } = held()
  const lost = Promise.allSettled([one('a'), one('b')])
  await next(1)
  const later = one('c')
  looked[0]!.fail(new Error('away'))
  expect((await lost).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await next(2)
  looked[1]!.answer()
  expect(await later).toBe('C')
})

test('gather > a look-up takes a bounded number, in the order of asking', async () => {
  const { one, looked, next } = held()
  const all = Promise.all(Array.from({ length: 300 }, (_, at) => one(`k${at}`)))
  await next(1)
  looked[0]!.answer()
  await next(2)
  looked[1]!.answer()
  await all
  expect(looked.map(({ keys }) => [keys.length, keys[0]])).toEqual([
    [256, 'k0'],
    [44, 'k256'],
  ])
})
