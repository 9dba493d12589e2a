import { expect, it } from 'vitest'
import { placeWords } from './limit-labels.ts'

const area = { left: 40, top: 0, width: 400, height: 200 }
const words = (y: number) => ({ width: 100, y })

it('puts the words of a limit above its line at the left edge', () => {
  expect(placeWords([words(80)], area, [], 16)).toEqual([{ left: 40, top: 64, width: 100, height: 16 }])
})

it('goes to the right edge where a bar stands on the left, and stays when both sides are taken alike', () => {
  const bar = (x: number) => ({ x, upper: 20, lower: 150 })
  expect(placeWords([words(80)], area, [bar(60)], 16)[0]!.left).toBe(340)
  expect(placeWords([words(80)], area, [bar(60), bar(400)], 16)[0]!.left).toBe(40)
  expect(placeWords([words(80)], area, [{ x: 60, upper: 100, lower: 150 }], 16)[0]!.left).toBe(40)
})

it('never puts two close limits on each other, nor beyond the plot', () => {
  const tops = placeWords([words(84), words(80), words(4)], area, [], 16).map(({ top }) => top)
  expect(tops).toEqual([80, 64, 0])
})
