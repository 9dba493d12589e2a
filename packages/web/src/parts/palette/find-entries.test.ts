import { expect, it } from 'vitest'
import { type Entry, type EntryGroup, findEntries } from './find-entries.ts'

const entry = (group: EntryGroup, label: string, more?: string): Entry => ({
  ...{ id: `${group}/${label}`, group, label, more },
  run: () => {},
})
const found = (typed: string, ...entries: Entry[]) => findEntries(entries, typed).map(({ label }) => label)

it('finds by every word, without accents, what begins with it first', () => {
  const tasks = [entry('Tasks', 'Maria Álvarez', 'BP 192/124 mmHg'), entry('Tasks', 'Fridge 2', 'at 9.1 °C')]
  expect(found('alvarez 192', ...tasks)).toEqual(['Maria Álvarez'])
  expect(found('dev', entry('Pages', 'Quarantined devices'), entry('Pages', 'Devices'))).toEqual([
    'Devices',
    'Quarantined devices',
  ])
  expect(found('nothing like it', ...tasks)).toEqual([])
})

it('shows acts before pages, tasks and subjects, and only the first of many', () => {
  const many = Array.from({ length: 20 }, (_, n) => entry('Tasks', `Task ${n}`))
  const shown = found('', ...many, entry('Pages', 'Worklist'), entry('Acts', 'Claim: Maria'))
  expect(shown.slice(0, 3)).toEqual(['Claim: Maria', 'Worklist', 'Task 0'])
  expect(shown).toHaveLength(10)
})

it('keeps every subject that the server found, whatever their shown name', () => {
  expect(found('née smith', entry('Subjects', 'Maria Álvarez'))).toEqual(['Maria Álvarez'])
})
