/** The safety file names a test for each control measure: here it is looked up, so that no measure outlives its test. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ESTree, parseSync, Visitor } from 'vite'
import { parse } from 'yaml'

export const HAZARDS_DOC = 'docs/safety/hazards.md'

export interface Hazard {
  /** `H7` */
  readonly id: string
  readonly title: string
  /** The bullets that a hazard must tell, by their names in lower case. */
  readonly told: readonly string[]
  readonly controls: readonly Control[]
}

export interface Control {
  readonly measure: string
  /** From the repository's root. */
  readonly file: string
  readonly test: string
  readonly line: number
}

const TOLD = ['sequence of events', 'hazardous situation', 'harm', 'residual']

/** Reads the sections of the safety file: a heading `## H1 ...`, bullets, a table `| measure | `file` | test |`. */
export function hazardsIn(markdown: string): readonly Hazard[] {
  const hazards: { id: string; title: string; told: string[]; controls: Control[] }[] = []
  for (const [index, line] of markdown.split('\n').entries()) {
    const heading = /^## (H\d+) (.+)$/.exec(line)
    if (heading) hazards.push({ id: heading[1]!, title: heading[2]!, told: [], controls: [] })
    const hazard = hazards.at(-1)
    if (!hazard) continue
    const bullet = /^- \*([^*]+)\*: \S/.exec(line)
    if (bullet) hazard.told.push(bullet[1]!.toLowerCase())
    const row = /^\| (.+?) \| `([^`]+)` \| (.+) \|$/.exec(line)
    if (row) hazard.controls.push({ measure: row[1]!, file: row[2]!, test: row[3]!, line: index + 1 })
  }
  return hazards
}

/**
 * Titles of the tests of a file that run: first arguments of `test(...)`, `it(...)` and their `.each(...)`; of a template the
 * text as written. Skipped ones and drafts are none. Of a program's timelines: their names.
 */
export function testTitles(path: string, text: string): readonly string[] {
  if (path.endsWith('.yaml')) {
    const { timelines } = parse(text) as { timelines: { name: string }[] }
    return timelines.map(({ name }) => name)
  }
  const { program } = parseSync(path, text, { lang: path.endsWith('x') ? 'tsx' : 'ts', sourceType: 'module' })
  const titles: string[] = []
  new Visitor({
    CallExpression({ callee, arguments: [first] }) {
      if (first && startsTest(callee)) titles.push(...titleOf(first, text))
    },
  }).visit(program)
  return titles
}

function startsTest(callee: ESTree.Node): boolean {
  if (callee.type === 'Identifier') return callee.name === 'test' || callee.name === 'it'
  if (callee.type === 'CallExpression') return startsTest(callee.callee)
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return false
  return (
    ['each', 'for', 'runIf', 'concurrent', 'sequential'].includes(callee.property.name) && startsTest(callee.object)
  )
}

function titleOf(node: ESTree.Node, text: string): string[] {
  if (node.type === 'Literal' && typeof node.value === 'string') return [node.value]
  return node.type === 'TemplateLiteral' ? [text.slice(node.start + 1, node.end - 1)] : []
}

/** @returns a line for each hazard that tells too little, and each measure whose test is not there */
export function hazardProblems(root: string, markdown: string): readonly string[] {
  return hazardsIn(markdown).flatMap((hazard) => [
    ...TOLD.filter((each) => !hazard.told.includes(each)).map(
      (each) => `${HAZARDS_DOC}: ${hazard.id} does not tell: ${each}`,
    ),
    ...(hazard.controls.length === 0 ? [`${HAZARDS_DOC}: ${hazard.id} has no control measure with a test`] : []),
    ...hazard.controls.flatMap((control) => controlProblem(root, control)),
  ])
}

function controlProblem(root: string, { file, test, line }: Control): string[] {
  const where = `${HAZARDS_DOC}:${line}`
  let text: string
  try {
    text = readFileSync(join(root, file), 'utf8')
  } catch {
    return [`${where}: there is no ${file}. Name the test that holds the measure, or write it.`]
  }
  if (testTitles(file, text).includes(test)) return []
  return [`${where}: ${file} has no test "${test}" that runs. Write its name as it is now, or bring the test back.`]
}
