import { expect, test } from 'vitest'
import { type Escalating, halfOf, nextStep } from './escalation-plan.ts'

const minute = 60_000
const task: Escalating = { priority: 'high', quiet: false, pagedAt: 0, dueAt: 30 * minute, escalation: 0 }

test('escalation > high priority: a reminder at half of the limit, the backup at the limit, the role half a limit later', () => {
  expect(nextStep(task, 0)).toEqual({ step: 0, at: 15 * minute })
  expect(nextStep(task, 15 * minute)).toEqual({ step: 1, at: 30 * minute })
  expect(nextStep({ ...task, escalation: 1 }, 30 * minute)).toEqual({ step: 2, at: 45 * minute })
  expect(nextStep({ ...task, escalation: 2 }, 45 * minute)).toBeNull()
})

test('escalation > other priorities: no reminder, the backup at the limit', () => {
  for (const priority of ['medium', 'low'] as const)
    expect(nextStep({ ...task, priority }, 0)).toEqual({ step: 1, at: 30 * minute })
})

test('escalation > a task told in the pages only: the backup when it is due, nobody else', () => {
  expect(nextStep({ ...task, quiet: true }, 0)).toEqual({ step: 1, at: 30 * minute })
  expect(nextStep({ ...task, quiet: true, escalation: 1 }, 30 * minute)).toBeNull()
})

test('escalation > a backup who was told an hour late has half a limit from then, not from the limit', () => {
  expect(nextStep({ ...task, escalation: 1 }, 90 * minute)).toEqual({ step: 2, at: 105 * minute })
})

test('escalation > a recurrence shortly before the limit reminds nobody before the backup is told', () => {
  expect(nextStep(task, 20 * minute)).toEqual({ step: 1, at: 30 * minute })
})

test('escalation > whoever was handed a task past its limit has half a limit, not none', () => {
  const { at } = nextStep(task, 90 * minute)!
  expect(at - 90 * minute).toBe(halfOf(task))
  expect(nextStep(task, task.dueAt)).toEqual({ step: 1, at: task.dueAt })
})
