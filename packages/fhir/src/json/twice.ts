import { endOfString } from './scan.ts'

interface Level {
  /** Names seen in this object; null in a list. */
  readonly names: Set<string> | null
  index: number
  name: string
}

/**
 * FHIRPath of the first member that its object names a second time, in a text whose grammar `JSON.parse` has accepted; undefined
 * when there is none. Only walked when the members counted in the text and in what was parsed differ.
 */
export function namedTwice(text: string, root: string): string | undefined {
  const levels: Level[] = []
  for (let at = 0; at < text.length; at++) {
    const unit = text[at]
    const top = levels.at(-1)
    if (unit === '{' || unit === '[') levels.push({ names: unit === '{' ? new Set() : null, index: 0, name: '' })
    else if (unit === '}' || unit === ']') levels.pop()
    else if (unit === ',' && top !== undefined) top.index++
    else if (unit === '"') {
      const end = endOfString(text, at)
      if (top?.names && isName(text, end)) {
        top.name = JSON.parse(text.slice(at, end + 1)) as string
        if (top.names.has(top.name)) return pathOf(root, levels)
        top.names.add(top.name)
      }
      at = end
    }
  }
  return undefined
}

function isName(text: string, end: number): boolean {
  let next = end + 1
  while (/\s/.test(text[next] ?? '')) next++
  return text[next] === ':'
}

function pathOf(root: string, levels: readonly Level[]): string {
  return root + levels.map((level) => (level.names ? `.${shown(level.name)}` : `[${level.index}]`)).join('')
}

/** A name that is no element name is not repeated: who writes values as names would see them in an error. */
function shown(name: string): string {
  return /^_?[a-z][A-Za-z0-9]{0,63}$/.test(name) ? name : '?'
}
