/** The codes of all errors.ts files against docs/errors.md, in both directions. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isTestCode, packageOf, roomOf } from '../source/rooms.ts'
import type { SourceFile } from '../source/source-file.ts'

export interface Code {
  readonly code: string
  readonly status: number
  readonly disposition: string
  /** The room or package: the first word of the heading in docs/errors.md. */
  readonly room: string
  /** Where it stands, for messages. */
  readonly where: string
}

export const ERRORS_DOC = 'docs/errors.md'

interface Kind {
  readonly status: number
  readonly disposition: string
}

/** Codes of the tables that each errors.ts exports. @throws Error for a file that exports none */
export async function codesInCode(root: string, files: readonly string[]): Promise<readonly Code[]> {
  const all: Code[] = []
  for (const path of files.filter((each) => /^packages\/.*\/errors\.ts$/.test(each))) {
    const exports = (await import(pathToFileURL(join(root, path)).href)) as Record<string, unknown>
    const tables = Object.values(exports).filter(isTable)
    if (tables.length === 0) throw new Error(`${path} exports no table of codes`)
    const room = roomOf(path) ?? packageOf(path)!
    for (const [code, kind] of tables.flatMap((table) => Object.entries(table))) {
      all.push({ code, room, status: kind.status, disposition: kind.disposition, where: path })
    }
  }
  return all
}

const isTable = (value: unknown): value is Record<string, Kind> =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).length > 0 &&
  Object.values(value).every(
    (kind) => typeof kind === 'object' && kind !== null && 'disposition' in kind && 'status' in kind,
  )

/** Rows of the tables under each `## room` heading. A row without words on what to do has an empty `says`. */
export function codesInDoc(root: string): readonly (Code & { readonly says: string })[] {
  let room = ''
  return readFileSync(join(root, ERRORS_DOC), 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      room = /^## (\w+)/.exec(line)?.[1] ?? room
      const row = /^\| `([^`]+)` \| (\d+) \| (\w+) \| (.*) \|$/.exec(line)
      if (row === null) return []
      const [, code, status, disposition, says] = row
      const where = `${ERRORS_DOC}:${index + 1}`
      return [{ code: code!, status: Number(status), disposition: disposition!, says: says!.trim(), room, where }]
    })
}

/** @returns a line for each code that no part of its package ever gives, by the texts of all sources */
export function unusedCodes(code: readonly Code[], sources: readonly SourceFile[]): readonly string[] {
  const speaking = sources.filter(({ path }) => !isTestCode(path) && !path.endsWith('/errors.ts'))
  const given = new Set(speaking.flatMap(({ texts }) => texts.map(({ what }) => what)))
  return code
    .filter((each) => !given.has(each.code))
    .map((each) => `${each.where}: nobody gives \`${each.code}\`. Take it away.`)
}

/** @returns a line for each code that only one side has, that stands twice, or that the two tell differently of */
export function codeProblems(code: readonly Code[], doc: readonly (Code & { says: string })[]): readonly string[] {
  const documented = new Map(doc.map((row) => [row.code, row]))
  const known = new Set(code.map((each) => each.code))
  return [
    ...twice(code),
    ...twice(doc),
    ...code.flatMap((each) => {
      const row = documented.get(each.code)
      return row === undefined
        ? [`${each.where}: \`${each.code}\` has no row in ${ERRORS_DOC}.`]
        : disagreements(each, row)
    }),
    ...doc.filter((row) => !known.has(row.code)).map((row) => `${row.where}: no errors.ts has \`${row.code}\`.`),
    ...doc.filter((row) => row.says.length < 20).map((row) => `${row.where}: say what it means and what to do.`),
  ]
}

function disagreements(code: Code, row: Code): readonly string[] {
  const differing = (['status', 'disposition', 'room'] as const).filter((field) => code[field] !== row[field])
  return differing.map(
    (field) => `${row.where}: \`${row.code}\` has ${field} ${row[field]}, in ${code.where} it is ${code[field]}.`,
  )
}

function twice(codes: readonly Code[]): readonly string[] {
  const seen = new Map<string, Code>()
  return codes.flatMap((each) => {
    const first = seen.get(each.code)
    seen.set(each.code, first ?? each)
    return first === undefined
      ? []
      : [`${each.where}: \`${each.code}\` stands in ${first.where} already. A code means one thing.`]
  })
}
