import { NewSubject } from '@careloop/contract'
import { describe, expect, it } from 'vitest'
import { emptyDraft, newSubjectOf, problemsOf } from './subject-draft.ts'

const patient = {
  ...emptyDraft('patient', 'Europe/Vienna'),
  family: ' Álvarez ',
  given: 'Maria José',
  birthDate: '1951-04-02',
}
const fields = (draft: Parameters<typeof problemsOf>[0]) => Object.keys(problemsOf(draft, '2026-03-02'))

describe('taking somebody in', () => {
  it('names each field that is missing', () => {
    expect(fields(emptyDraft('patient', 'Europe/Vienna'))).toEqual(['family', 'birthDate'])
    expect(fields(emptyDraft('asset', 'Europe/Vienna'))).toEqual(['name'])
    expect(fields({ ...patient, birthDate: '2026-03-03' })).toEqual(['birthDate'])
    expect(fields({ ...patient, timeZone: 'Viena' })).toEqual(['timeZone'])
    expect(fields(patient)).toEqual([])
  })

  it('makes what the server takes, for every kind', () => {
    const made = [
      newSubjectOf(patient),
      newSubjectOf({ ...emptyDraft('asset', 'UTC'), name: 'Refrigerator 2', maker: 'Acme', serial: 'A1' }),
      newSubjectOf({ ...emptyDraft('location', 'UTC'), name: 'Ward 3' }),
    ]
    for (const each of made) expect(NewSubject.parse(each)).toEqual(each)
    expect(made[0]!.resource).toMatchObject({ name: [{ family: 'Álvarez', given: ['Maria', 'José'] }] })
  })
})
