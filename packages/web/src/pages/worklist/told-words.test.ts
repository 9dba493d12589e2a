import type { NotificationBody } from '@careloop/contract'
import { expect, it } from 'vitest'
import { toldWords } from './told-words.ts'

const now = new Date(2026, 2, 3, 12, 0).getTime()
const item = (over: Partial<NotificationBody>): NotificationBody => ({
  ...{ id: 'n', task: 't', to: { id: 'u', name: 'Nora Nurse' }, why: 'raised', channel: 'in-app', step: 0 },
  ...{ priority: 'high', nature: 'physiological', title: 'Blood pressure severely high', at: now, attempts: 1 },
  ...over,
})

it('says who was told how and why, when it was seen, and why it was sent again', () => {
  expect(toldWords(item({ deliveredAt: now, seenAt: now }), now)).toBe(
    'Nora Nurse, in Careloop: the alert was raised; seen 12:00',
  )
  const repeated = 'Sent again because the server stopped.'
  expect(toldWords(item({ channel: 'email', why: 'reminder', deliveredAt: now, attempts: 2, repeated }), now)).toBe(
    'Nora Nurse, by e-mail: a reminder: nobody had acknowledged it; delivered, sent 2 times. Sent again because the server stopped.',
  )
  expect(toldWords(item({ attempts: 3, failedAt: now }), now)).toMatch(/; not delivered since 12:00, still tried$/)
  expect(toldWords(item({ cancelled: 'acknowledged', attempts: 0 }), now)).toMatch(
    /not sent: it was acknowledged first$/,
  )
})
