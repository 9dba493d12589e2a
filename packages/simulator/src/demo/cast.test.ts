import { expect, it } from 'vitest'
import { careTeams, organisations, owners, staff, subjects } from './cast.ts'

it('demo > organisations say that they are a demo, addresses lead nowhere, names are of no patient', () => {
  for (const name of Object.values(organisations)) expect(name).toMatch(/^Make-Believe .*\(demo\)$/)
  // .example is reserved (RFC 2606): a mail to it reaches nobody.
  for (const { email, displayName } of staff) {
    expect(email).toMatch(/^[a-z]+@[a-z]+\.example$/)
    expect(displayName).toMatch(/ Example$/)
  }
  for (const { name } of subjects) if (typeof name !== 'string') expect(['Sample', 'Tryout']).toContain(name.family)
})

it('demo > each role of the first minute is played by one person, and each program has owner and backup', () => {
  expect(new Set(staff.flatMap(({ roles }) => roles))).toEqual(
    new Set(['nurse', 'physician', 'biomed', 'administrator', 'facilities', 'pharmacist']),
  )
  expect(new Set(staff.map(({ email }) => email)).size).toBe(staff.length)
  for (const [organisation, { owner, backup }] of Object.entries(owners))
    for (const key of [owner, backup])
      expect(staff.filter((each) => each.organisation === organisation && each.key === key)).toHaveLength(1)
})

it('demo > each patient is in a care team, and what one nurse sees of patients the other does not', () => {
  const people = subjects.filter(({ name }) => typeof name !== 'string')
  const seenBy = (key: string) =>
    people.filter(({ team }) => team !== undefined && careTeams[team]!.includes(key)).map((each) => each.key)
  expect(people.every(({ team }) => team !== undefined)).toBe(true)
  expect(seenBy('nurse').filter((key) => seenBy('relief').includes(key))).toEqual([])
  expect(seenBy('relief')).toEqual(['other-team'])
  expect(seenBy('physician')).toEqual(people.map(({ key }) => key))
})
