import { expect, test } from 'vitest'
import { groupsOf, layoutOf, placeAt, places } from './places.ts'

test('navigation > each page has a key of its own after g, one letter', () => {
  const keys = places.map(({ key }) => key)
  expect(new Set(keys).size).toBe(keys.length)
  expect(keys.filter((key) => !/^[a-z]$/.test(key))).toEqual([])
})

test('navigation > each page stands in one group, in the order of the pages, and an empty group is not shown', () => {
  expect(groupsOf(places).flatMap((group) => group.places)).toEqual(places)
  const office = places.filter(({ to }) => to === '/board' || to === '/audit')
  expect(groupsOf(office).map(({ label, places: own }) => [label, own.map((each) => each.label)])).toEqual([
    ['Work', ['Board']],
    ['Oversight', ['Audit']],
  ])
})

test('navigation > a page below a place belongs to it, and a longer name does not', () => {
  expect(placeAt('/devices/17')?.label).toBe('Devices')
  expect(placeAt('/board/screens')?.label).toBe('Board')
  expect(placeAt('/boarding')).toBeUndefined()
  expect(placeAt('/account')).toBeUndefined()
})

test('navigation > who has few pages sees them; many are grouped; a phone has one button', () => {
  expect([3, 5, 7, 8, 12].map((count) => layoutOf(count, 'wide'))).toEqual([
    ...['pages', 'pages', 'pages'],
    ...['groups', 'groups'],
  ])
  expect([3, 5, 12].map((count) => layoutOf(count, 'narrow'))).toEqual(['pages', 'groups', 'groups'])
  expect([3, 5, 12].map((count) => layoutOf(count, 'small'))).toEqual(['pages', 'one', 'one'])
})
