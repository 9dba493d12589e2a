import { expect, test } from 'vitest'
import { onWaiting, proveAgain, waitingNow } from './step-up-store.ts'

test('step-up > acts that are asked together wait for one answer, and each is told it', async () => {
  let told = 0
  const stop = onWaiting(() => {
    told += 1
  })
  const [one, other] = [proveAgain({ code: 'step-up-needed' }), proveAgain({ code: 'step-up-needed' })]
  expect([waitingNow()?.is, told]).toEqual(['prove', 1])
  waitingNow()!.settle(true)
  expect(await Promise.all([one, other])).toEqual([true, true])
  expect(waitingNow()).toBeNull()
  stop()
})

test('step-up > who has nothing to show is told to set something up; cancelling answers no', async () => {
  const asked = proveAgain({ code: 'step-up-without-factor' })
  expect(waitingNow()?.is).toBe('set-up')
  waitingNow()!.settle(false)
  expect(await asked).toBe(false)
  const again = proveAgain({ code: 'step-up-needed' })
  waitingNow()!.settle(false)
  expect(await again).toBe(false)
})
