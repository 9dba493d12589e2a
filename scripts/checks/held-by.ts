/**
 * Tables in docs/security name the test that holds each row, as the safety file does: `| ... | `file` | title of the test |`. Here they are
 * looked up, so that no promise outlives its test.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { testTitles } from './hazards.ts'

export const SECURITY_DOCS = 'docs/security'

export interface Held {
  readonly doc: string
  readonly line: number
  readonly file: string
  readonly test: string
}

/** Rows whose last two cells are a file and a test. */
export function heldRows(doc: string, markdown: string): readonly Held[] {
  return markdown.split('\n').flatMap((line, index) => {
    const row = /^\| .+ \| `([^`|]+\.(?:tsx?|yaml))` \| (.+) \|$/.exec(line)
    return row ? [{ doc, line: index + 1, file: row[1]!, test: row[2]! }] : []
  })
}

/** Of a document in which every row must be held: rows that name no test and do not say why. */
export function unheldRows(doc: string, markdown: string): readonly string[] {
  return markdown.split('\n').flatMap((line, index) => {
    if (!/^\| [A-Z0-9]/.test(line) || heldRows(doc, line).length > 0) return []
    const next = markdown.split('\n')[index + 1] ?? ''
    if (/^\|[-| ]+\|$/.test(next) || /\| not held: .+ \|$/.test(line)) return []
    return [`${doc}:${index + 1}: names no test. Name one, or end the row with "not held: why".`]
  })
}

/** @returns a line for each row whose test is not there under that name */
export function heldProblems(root: string, rows: readonly Held[]): readonly string[] {
  const known = new Map<string, readonly string[]>()
  const titles = (file: string) => {
    const found = known.get(file) ?? testTitles(file, readFileSync(join(root, file), 'utf8'))
    known.set(file, found)
    return found
  }
  return rows.flatMap(({ doc, line, file, test }) => {
    if (!existsSync(join(root, file))) return [`${doc}:${line}: there is no ${file}.`]
    return titles(file).includes(test) ? [] : [`${doc}:${line}: ${file} has no test "${test}" that runs.`]
  })
}

export const securityDocs = (root: string): readonly { doc: string; markdown: string }[] =>
  readdirSync(join(root, SECURITY_DOCS))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${SECURITY_DOCS}/${name}`)
    .map((doc) => ({ doc, markdown: readFileSync(join(root, doc), 'utf8') }))
