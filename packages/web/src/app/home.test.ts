import { expect, it } from 'vitest'
import { homeOf } from './home.ts'

it('opens on the page that answers the question of the role; patients come first', () => {
  expect(homeOf(['facilities'])).toBe('/board')
  expect(homeOf(['pharmacist'])).toBe('/board')
  expect(homeOf(['biomed'])).toBe('/devices')
  expect(homeOf(['administrator'])).toBe('/devices')
  expect(homeOf(['administrator', 'nurse'])).toBe('/worklist')
  expect(homeOf([])).toBe('/worklist')
})
