/** Where the words of limits stand: on their own ground, none on another, at the edge where they cover the fewest readings. Pure. */
import { spread } from './model.ts'

/** Pixels of the canvas, from its upper left corner. */
export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

export interface Words {
  readonly width: number
  /** Of the limit's line. */
  readonly y: number
}

/** What is drawn of a reading: from its upper end to its lower, the same for a point. */
export interface Mark {
  readonly x: number
  readonly upper: number
  readonly lower: number
}

/** A box for each, in their order; above its line as far as there is room. @param height of a line of words */
export function placeWords(words: readonly Words[], area: Box, marks: readonly Mark[], height: number): Box[] {
  const tops = spread(
    words.map(({ y }) => y - height),
    height,
    area.top,
    area.top + area.height - height,
  )
  return words.map(({ width }, index) => {
    const at = (left: number): Box => ({ left, top: tops[index]!, width, height })
    const [left, right] = [at(area.left), at(area.left + area.width - width)]
    return coveredBy(right, marks) < coveredBy(left, marks) ? right : left
  })
}

const coveredBy = ({ left, top, width, height }: Box, marks: readonly Mark[]): number =>
  marks.filter(({ x, upper, lower }) => x >= left && x <= left + width && lower >= top && upper <= top + height).length
