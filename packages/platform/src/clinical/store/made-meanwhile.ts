/** Somebody made it between our look and our write: it is looked at again, from the beginning. */
export class MadeMeanwhile extends Error {
  constructor() {
    super('a resource of this name was made meanwhile')
  }
}

/** What was made between the look and the write is there at the next look. */
export async function again<T>(work: () => Promise<T>, times = 3): Promise<T> {
  for (let left = times; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof MadeMeanwhile) || left <= 1) throw error
    }
  }
}
