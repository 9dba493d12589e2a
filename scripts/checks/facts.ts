/**
 * Facts in four places that must tell the same: the types of contract, who publishes and who listens in code, each room's facts.ts,
 * and docs/facts.md.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isTestCode, ROOMS_DIR, roomOf } from '../source/rooms.ts'
import type { SourceFile } from '../source/source-file.ts'

export const FACTS_DOC = 'docs/facts.md'
const FACT_TYPES = 'packages/contract/src/fact.ts'

/** What is told of one fact; lists are sorted. */
export interface FactStory {
  readonly type: string
  readonly fields: readonly string[]
  readonly publishedBy: readonly string[]
  readonly heardBy: readonly string[]
}

/** From the types, and from the calls of `publish`, `onFacts` in the rooms. */
export function factsInCode(root: string, sources: readonly SourceFile[]): readonly FactStory[] {
  const types = factTypes(readFileSync(join(root, FACT_TYPES), 'utf8'))
  const rooms = sources.filter(({ path }) => roomOf(path) !== null && !isTestCode(path))
  return [...types].map(([type, fields]) => ({
    type,
    fields,
    publishedBy: roomsWith(rooms, ({ calls }) => calls.some((call) => call.name === 'publish' && call.type === type)),
    heardBy: roomsWith(rooms, ({ calls }) => calls.some((call) => call.name === 'onFacts' && call.list.includes(type))),
  }))
}

const roomsWith = (sources: readonly SourceFile[], is: (source: SourceFile) => boolean): readonly string[] =>
  [...new Set(sources.filter(is).map(({ path }) => roomOf(path)!))].sort()

/** Members of `interface FactBodies`, each on its line, with the names of their fields. */
function factTypes(text: string): ReadonlyMap<string, readonly string[]> {
  const body = /interface FactBodies \{\n([\s\S]*?)\n\}/.exec(text)?.[1] ?? ''
  const members = [...body.matchAll(/^ {2}(\w+): \{([^}]*)\}$/gm)]
  return new Map(
    members.map(([, type, fields]) => [type!, [...fields!.matchAll(/(\w+)\??:/g)].map(([, name]) => name!)]),
  )
}

/** Rows `| fact | fields | when | heard by |` under the heading of the room that publishes; fields stand in backticks. */
export function factsInDoc(root: string): readonly (FactStory & { readonly when: string })[] {
  let room = ''
  return readFileSync(join(root, FACTS_DOC), 'utf8')
    .split('\n')
    .flatMap((line) => {
      room = /^## (\w+)$/.exec(line)?.[1] ?? room
      const row = /^\| `(\w+)` \| (.*?) \| (.*) \|(.*)\|$/.exec(line)
      if (row === null) return []
      const [, type, fields, when, heard] = row
      const heardBy = heard!.split(',').map((name) => name.trim())
      return [
        {
          type: type!,
          when: when!,
          publishedBy: [room],
          fields: quoted(fields!),
          heardBy: heardBy.filter(Boolean).sort(),
        },
      ]
    })
}

const quoted = (cell: string): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, word]) => word!)

/** What each room's facts.ts says that it publishes: room to types. */
export async function factsOfRooms(
  root: string,
  sources: readonly SourceFile[],
): Promise<ReadonlyMap<string, string[]>> {
  const files = sources
    .map(({ path }) => path)
    .filter((path) => new RegExp(`^${ROOMS_DIR}/\\w+/facts\\.ts$`).test(path))
  const found = new Map<string, string[]>()
  for (const path of files) {
    const exports = (await import(pathToFileURL(join(root, path)).href)) as Record<string, unknown>
    found.set(
      roomOf(path)!,
      Object.values(exports).flatMap((list) => (Array.isArray(list) ? (list as string[]) : [])),
    )
  }
  return found
}

/** @returns a line for each fact on which the places differ */
export function factProblems(
  code: readonly FactStory[],
  doc: readonly (FactStory & { readonly when: string })[],
  rooms: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const documented = new Map(doc.map((row) => [row.type, row]))
  const known = new Set(code.map(({ type }) => type))
  return [
    ...code.flatMap((fact) => {
      const row = documented.get(fact.type)
      return row === undefined
        ? [`${FACTS_DOC}: ${fact.type} is missing.`]
        : [...differences(fact, row), ...lists(fact, rooms)]
    }),
    ...doc.filter(({ type }) => !known.has(type)).map(({ type }) => `${FACTS_DOC}: contract has no fact ${type}.`),
    ...doc
      .filter(({ when }) => when.trim().length < 10)
      .map(({ type }) => `${FACTS_DOC}: say when ${type} is published.`),
    ...[...rooms].flatMap(([room, types]) =>
      types.filter((type) => !known.has(type)).map((type) => `${room}/facts.ts: contract has no fact ${type}.`),
    ),
  ]
}

function differences(fact: FactStory, row: FactStory): readonly string[] {
  const problems: string[] = []
  const told = (list: readonly string[]) => list.join(', ') || 'nobody'
  if (`${fact.fields}` !== `${row.fields}`) problems.push(`fields are ${told(fact.fields)}, not ${told(row.fields)}`)
  if (`${fact.publishedBy}` !== `${row.publishedBy}`)
    problems.push(`${told(fact.publishedBy)} publishes it, not ${told(row.publishedBy)}`)
  // A room may also hear a fact by reading all of them, which no call tells: what the calls do tell must stand there.
  const unsaid = fact.heardBy.filter((room) => !row.heardBy.includes(room))
  if (unsaid.length > 0) problems.push(`${told(unsaid)} listens as well`)
  return problems.map((problem) => `${FACTS_DOC}: ${fact.type}: ${problem}.`)
}

function lists(fact: FactStory, rooms: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return [...rooms].flatMap(([room, types]) => {
    const does = fact.publishedBy.includes(room)
    if (does === types.includes(fact.type)) return []
    return [`${room}/facts.ts: ${room} ${does ? 'publishes' : 'does not publish'} ${fact.type}.`]
  })
}
