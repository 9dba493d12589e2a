/**
 * Names in memory: word-prefix search over what is sealed at rest. One per tenant, so that a search cannot reach another's.
 * Holds PHI: never log it.
 */
import type { SubjectKind } from '@careloop/contract'
import { wordsIn } from './body.ts'

export interface NamedSubject {
  readonly id: string
  readonly kind: SubjectKind
  /** Grows with each change: an older one never replaces a newer one. */
  readonly version: number
  readonly display: string
  readonly birthDate: string | undefined
  readonly timeZone: string
  readonly site: string | null
  readonly team: string | null
  readonly words: ReadonlySet<string>
}

export class NameIndex {
  readonly #subjects = new Map<string, NamedSubject>()
  /** First letter -> word -> ids: a prefix looks through the words of one letter. */
  readonly #letters = new Map<string, Map<string, Set<string>>>()

  get size(): number {
    return this.#subjects.size
  }

  get(id: string): NamedSubject | undefined {
    return this.#subjects.get(id)
  }

  /** Takes a subject in, or its newer version; an older version is ignored. */
  put(subject: NamedSubject): void {
    const known = this.#subjects.get(subject.id)
    if (known && known.version > subject.version) return
    if (known) this.remove(known.id)
    this.#subjects.set(subject.id, subject)
    for (const word of subject.words) this.#idsOf(word).add(subject.id)
  }

  remove(id: string): void {
    const known = this.#subjects.get(id)
    if (!known) return
    this.#subjects.delete(id)
    for (const word of known.words) {
      const words = this.#letters.get(word[0]!)
      const ids = words?.get(word)
      ids?.delete(id)
      if (ids?.size === 0) words?.delete(word)
    }
  }

  /** Subjects that have, for every word of the text, a word that begins with it; by name, then id. Empty text finds none. */
  find(text: string, limit: number, kind?: SubjectKind): NamedSubject[] {
    const wanted = [...new Set(wordsIn(text))]
    if (wanted.length === 0) return []
    const [first, ...others] = wanted.map((prefix) => this.#startingWith(prefix)).sort((a, b) => a.size - b.size)
    const found: NamedSubject[] = []
    for (const id of first!) {
      if (!others.every((ids) => ids.has(id))) continue
      const subject = this.#subjects.get(id)!
      if (kind === undefined || subject.kind === kind) found.push(subject)
    }
    return found.sort(byDisplay).slice(0, limit)
  }

  #startingWith(prefix: string): Set<string> {
    const found = new Set<string>()
    for (const [word, ids] of this.#letters.get(prefix[0]!) ?? []) {
      if (word.startsWith(prefix)) for (const id of ids) found.add(id)
    }
    return found
  }

  #idsOf(word: string): Set<string> {
    const words = getOrMake(this.#letters, word[0]!, () => new Map<string, Set<string>>())
    return getOrMake(words, word, () => new Set<string>())
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

const collator = new Intl.Collator('en', { sensitivity: 'base', numeric: true })
const byDisplay = (a: NamedSubject, b: NamedSubject): number =>
  collator.compare(a.display, b.display) || (a.id < b.id ? -1 : 1)
