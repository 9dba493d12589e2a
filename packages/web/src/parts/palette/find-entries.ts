/** Which entries of the palette fit what was typed, the best first. Pure. */

export type EntryGroup = 'Acts' | 'Pages' | 'Tasks' | 'Subjects'

export interface Entry {
  readonly id: string
  readonly group: EntryGroup
  readonly label: string
  /** Said beneath: a sentence, a birth date, why an act is not possible. */
  readonly more?: string | undefined
  readonly key?: string | undefined
  /** It is shown, and cannot be chosen. */
  readonly isOff?: boolean
  readonly run: () => void
}

const mostOfGroup = 8

/** Every word must be found; at the beginning of a word counts more. Without words: acts and pages, and the first tasks. */
export function findEntries(entries: readonly Entry[], typed: string): Entry[] {
  const words = plain(typed).split(/\s+/).filter(Boolean)
  const scored = entries.flatMap((entry) => {
    const score = scoreOf(entry, words)
    return score === null ? [] : [{ entry, score }]
  })
  const kept = new Map<EntryGroup, number>()
  return scored
    .sort((a, b) => groups.indexOf(a.entry.group) - groups.indexOf(b.entry.group) || b.score - a.score)
    .flatMap(({ entry }) => {
      const count = (kept.get(entry.group) ?? 0) + 1
      kept.set(entry.group, count)
      return count > mostOfGroup ? [] : [entry]
    })
}

const groups: readonly EntryGroup[] = ['Acts', 'Pages', 'Tasks', 'Subjects']

/** Subjects were found by the server, which knows more names than are shown: they all fit. */
function scoreOf(entry: Entry, words: readonly string[]): number | null {
  if (entry.group === 'Subjects') return 0
  const text = plain(`${entry.label} ${entry.more ?? ''}`)
  const scores = words.map((word) => {
    const at = text.indexOf(word)
    if (at < 0) return null
    return at === 0 ? 3 : text[at - 1] === ' ' ? 2 : 1
  })
  if (scores.includes(null)) return null
  return scores.reduce((sum: number, score) => sum + (score ?? 0), entry.isOff ? -1 : 0)
}

/** Álvarez is found by alvarez. */
const plain = (text: string): string => text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLocaleLowerCase()
