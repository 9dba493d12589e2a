/** A row of the worklist for tests: a severe blood pressure that a stranger owns. */
import type { WorklistRow } from '@careloop/contract'

/** Raised a minute ago, due in one. */
export const aRow = (task: string, now: number, over: Partial<WorklistRow> = {}): WorklistRow => ({
  task,
  alert: `alert-${task}`,
  subject: { id: 's', name: 'Maria Álvarez', kind: 'patient' },
  priority: 'medium',
  nature: 'physiological',
  title: 'Blood pressure severely high',
  sentence: 'BP 192/124 mmHg, at or above 180/120 since 10:02',
  value: { text: '192/124', unit: 'mmHg', measuredAt: now - 60_000 },
  raisedAt: now - 60_000,
  dueAt: now + 60_000,
  owner: { id: 'stranger', name: 'Sam Stranger' },
  status: 'open',
  condition: 'active',
  historic: false,
  program: { code: 'hypertension-rpm', title: 'Hypertension at home' },
  version: 1,
  ...over,
})
