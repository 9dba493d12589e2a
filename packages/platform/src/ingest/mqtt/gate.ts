/** Lets so many in at once; the others wait in line, and beyond a length of line nobody may join. */
export class Gate {
  readonly #most: number
  readonly #longestLine: number
  readonly #line: (() => void)[] = []
  #inside = 0
  #served = 0

  constructor(most: number, longestLine: number) {
    this.#most = most
    this.#longestLine = longestLine
  }

  /** null when the line is full. Whoever entered calls `leave` once. */
  enter(): Promise<void> | null {
    if (this.#inside < this.#most) {
      this.#inside += 1
      return Promise.resolve()
    }
    if (this.#line.length - this.#served >= this.#longestLine) return null
    return new Promise((resolve) => this.#line.push(resolve))
  }

  leave() {
    if (this.#served === this.#line.length) {
      this.#inside -= 1
      return
    }
    const next = this.#line[this.#served++]!
    // Shifting a line of ten thousand for each one served would be quadratic.
    if (this.#served > 1_000 && this.#served * 2 > this.#line.length) {
      this.#line.splice(0, this.#served)
      this.#served = 0
    }
    next()
  }
}
