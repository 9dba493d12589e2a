import fc from 'fast-check'
import { expect, test } from 'vitest'
import { displayOf, exactKeysOf, fold, normalisePhone, wordsIn } from './body.ts'
import { aFridge, aPatient } from './fixtures.ts'
import { type NamedSubject, NameIndex } from './name-index.ts'

test('subjects > folding makes what people type meet what is written', () => {
  expect(['ŁÓDŹ', 'Straße', 'Đặng', 'Ærø', 'İpek', 'ﬁn'].map(fold)).toEqual([
    'lodz',
    'strasse',
    'dang',
    'aero',
    'ipek',
    'fin',
  ])
  expect(wordsIn("D'Angelo-Ünal  1950-03-07, 山田")).toEqual(['dangelo', 'unal', '1950-03-07', '山田'])
})

test('subjects > the official name is shown, an asset by its name', () => {
  const resource = aPatient().resource
  expect(displayOf(resource)).toBe('Zwölfaxinger, Kunigunde')
  expect(displayOf(aFridge('Fridge 9').resource)).toBe('Fridge 9')
  expect(displayOf({ resourceType: 'Patient', name: [{ text: 'Only Text' }] })).toBe('Only Text')
  expect(
    displayOf({
      resourceType: 'Patient',
      name: [
        { use: 'nickname', given: ['Kuni'] },
        { use: 'official', family: 'Z' },
      ],
    }),
  ).toBe('Z')
})

test('subjects > exact keys are normalised, each once; an old identifier is not unique', () => {
  expect(normalisePhone('0043 (664) 778-89')).toBe('+4366477889')
  const keys = exactKeysOf({
    resourceType: 'Patient',
    name: [{ text: 'x' }],
    identifier: [
      { system: 'urn:a', value: 'A 1' },
      { system: 'urn:a', value: 'a1' },
      { system: 'urn:b', value: '7', use: 'old' },
    ],
  })
  expect(keys).toEqual([
    { system: 'urn:a', normalised: 'A1', isUnique: true, pointer: '/identifier/0' },
    { system: 'urn:b', normalised: '7', isUnique: false, pointer: '/identifier/2' },
  ])
})

const word = fc.stringMatching(/^[abc]{1,3}$/)
const subjectOf = (id: string, version: number, words: readonly string[]): NamedSubject => ({
  ...{ id, version, kind: 'patient', display: words.join(' '), birthDate: undefined },
  ...{ timeZone: 'UTC', site: null, team: null, words: new Set(words) },
})

test('subjects > the index finds what a look through all subjects would find, whatever was put and removed', () => {
  const step = fc.record({
    id: fc.constantFrom('s1', 's2', 's3', 's4'),
    version: fc.integer({ min: 1, max: 4 }),
    words: fc.array(word, { maxLength: 4 }),
    isRemoval: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.array(word, { minLength: 1, maxLength: 3 }), (steps, query) => {
      const index = new NameIndex()
      const naive = new Map<string, NamedSubject>()
      for (const { id, version, words, isRemoval } of steps) {
        if (isRemoval) {
          index.remove(id)
          naive.delete(id)
        } else {
          const subject = subjectOf(id, version, words)
          index.put(subject)
          if ((naive.get(id)?.version ?? 0) <= version) naive.set(id, subject)
        }
      }
      const wanted = [...naive.values()].filter(({ words }) =>
        query.every((prefix) => [...words].some((each) => each.startsWith(prefix))),
      )
      const found = index.find(query.join(' '), 10).map((each) => each.id)
      expect([...found].sort()).toEqual(wanted.map((each) => each.id).sort())
      expect(index.size).toBe(naive.size)
    }),
  )
})
