import { Failure } from '@careloop/contract'
import { expect, test } from 'vitest'
import type { Receipt } from '../door.ts'
import { answerOf } from './receipts.ts'

const THROTTLED = { disposition: 'retry', status: 429, issue: 'throttled' } as const
const stored: Receipt = { outcome: 'stored', position: 7, readings: 1, quarantined: [] }
const overloaded = () =>
  Promise.reject<Receipt>(new Failure('log-overloaded', THROTTLED, 'Too many wait.', { retryAfterSeconds: 2 }))

test('receipts > of a request that was refused half way each message is told apart, and when to send again', async () => {
  const { receipts, kept, headers } = await answerOf([Promise.resolve(stored), overloaded(), Promise.resolve(stored)])
  expect(receipts.map(({ outcome, retryAfterSeconds }) => [outcome, retryAfterSeconds])).toEqual([
    ['stored', undefined],
    ['refused', 2],
    ['stored', undefined],
  ])
  expect([kept.length, headers]).toEqual([2, { 'retry-after': '2' }])
})

test('receipts > where nothing was kept the request is refused as a whole', async () => {
  await expect(answerOf([overloaded(), overloaded()])).rejects.toMatchObject({
    code: 'ingest-overloaded',
    retryAfterSeconds: 2,
  })
})
