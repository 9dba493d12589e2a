import { expect, it } from 'vitest'
import { aboutWords, reasonOf, shortCode } from './words.ts'

const id = '0190a5c0-1111-7000-8000-0000deadbeef'

it('names a patient and a device by a code, and a colleague by name', () => {
  expect(shortCode(id)).toBe('deadbeef')
  const nora = { id: 'u', name: 'Nora Nurse' }
  expect(aboutWords({ about: { subject: id, device: null, user: nora } })).toBe('Nora Nurse, patient deadbeef')
  expect(aboutWords({ about: { subject: null, device: id, user: null } })).toBe('device deadbeef')
})

it('says the reason as it was chosen, and a code that it does not know in its own words', () => {
  expect(reasonOf({ reason: 'unconscious' })).toBe('The patient cannot speak for themselves')
  expect(reasonOf({ reason: 'foreign-topic' })).toBe('foreign topic')
  expect(reasonOf({ reason: null })).toBe('')
})
