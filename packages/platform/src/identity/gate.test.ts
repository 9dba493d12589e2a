import { expect, test } from 'vitest'
import { makeGate } from './gate.ts'

test('gate > lets so many in at a time, in order, and goes on after one that failed', async () => {
  const gate = makeGate(2)
  let [inside, most] = [0, 0]
  const began: number[] = []
  const visit = (number: number) =>
    gate(async () => {
      began.push(number)
      inside += 1
      most = Math.max(most, inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside -= 1
      if (number === 1) throw new Error('this one fails')
      return number
    })
  const ended = await Promise.allSettled([0, 1, 2, 3, 4].map(visit))
  expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'])
  expect([most, inside]).toEqual([2, 0])
  expect(began).toEqual([0, 1, 2, 3, 4])
  expect(await visit(5)).toBe(5)
})
