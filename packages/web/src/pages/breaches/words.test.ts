import { expect, test } from 'vitest'
import { deadlinesOf, dueDay, nextDeadline } from './words.ts'

const deadlines = {
  individuals: { dueAt: 60, doneAt: null },
  hhs: { dueAt: 90, doneAt: null },
  media: null,
}

test('breaches > what is due first is told, and nothing once nothing has to be', () => {
  expect(nextDeadline({ status: 'assessing', deadlines })).toEqual({ what: 'tell each person', at: 60 })
  const told = { ...deadlines, individuals: { dueAt: 60, doneAt: 50 } }
  expect(nextDeadline({ status: 'notifiable', deadlines: told })).toEqual({ what: 'tell HHS', at: 90 })
  expect(nextDeadline({ status: 'low-probability', deadlines })).toBeNull()
  expect(nextDeadline({ status: 'closed', deadlines })).toBeNull()
})

test('breaches > a deadline that does not apply is not listed', () => {
  expect(deadlinesOf({ deadlines }).map(({ step }) => step)).toEqual(['individuals', 'hhs'])
})

test('breaches > a deadline is the day it is counted by, wherever it is read', () => {
  expect(dueDay(Date.UTC(2027, 2, 1, 23, 59, 59, 999))).toMatch(/\b1\b.*\(UTC\)$/)
})
