/**
 * The project's TypeScript as the structure checks see it: what each file imports, which globals and words it uses, which tables
 * its SQL writes. Read from the syntax tree, so that comments and look-alikes do not count.
 */
import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { type ESTree, parseSync, Visitor } from 'vite'

export interface SourceFile {
  /** From the repository's root, with `/`. */
  readonly path: string
  readonly imports: readonly Import[]
  /** Reads of the clock, chance and the process: `Date.now`, `new Date()`, `Math.random`, `process.env` ... */
  readonly globals: readonly Use[]
  /** Identifiers and the text of strings and templates, in the order of the file. */
  readonly words: readonly Use[]
  /** Texts of strings and templates; `${...}` of a template stands as `?`. */
  readonly texts: readonly Use[]
  /** Calls `a.b.name(...)` with what their first argument is: a text, texts, or the `type` of an object. */
  readonly calls: readonly Call[]
}

export interface Import {
  /** As written. */
  readonly specifier: string
  /** A path from the root for a file of ours, else the package's name or `node:...`. */
  readonly target: string
  readonly line: number
}

export interface Use {
  readonly what: string
  readonly line: number
}

export interface Call {
  readonly name: string
  readonly argument: string | null
  readonly list: readonly string[]
  readonly type: string | null
  readonly line: number
}

export const readSource = (root: string, path: string): SourceFile =>
  parseSource(path, readFileSync(join(root, path), 'utf8'))

/** @throws Error when it does not parse */
export function parseSource(path: string, text: string): SourceFile {
  const { program, errors } = parseSync(path, text, { lang: path.endsWith('x') ? 'tsx' : 'ts', sourceType: 'module' })
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`)
  const lineOf = lines(text)
  const found = {
    imports: [] as Import[],
    globals: [] as Use[],
    words: [] as Use[],
    texts: [] as Use[],
    calls: [] as Call[],
  }
  const importing = (source: ESTree.Node | null) => {
    if (source?.type !== 'Literal' || typeof source.value !== 'string') return
    const specifier = source.value
    found.imports.push({ specifier, target: targetOf(path, specifier), line: lineOf(source.start) })
  }
  const text_ = (what: string, start: number) => {
    found.texts.push({ what, line: lineOf(start) })
    found.words.push({ what, line: lineOf(start) })
  }
  const global = (what: string | null, start: number) => {
    if (what !== null) found.globals.push({ what, line: lineOf(start) })
  }
  new Visitor({
    ImportDeclaration: ({ source }) => importing(source),
    ExportNamedDeclaration: ({ source }) => importing(source),
    ExportAllDeclaration: ({ source }) => importing(source),
    ImportExpression: ({ source }) => importing(source),
    TSImportType: ({ source }) => importing(source),
    Identifier: ({ name, start }) => void found.words.push({ what: name, line: lineOf(start) }),
    Literal: ({ value, start }) => (typeof value === 'string' ? text_(value, start) : undefined),
    TemplateLiteral: ({ quasis, start }) => text_(quasis.map((each) => each.value.raw).join('?'), start),
    MemberExpression: (node) => global(globalOf(node), node.start),
    CallExpression: (node) => void found.calls.push({ ...callOf(node), line: lineOf(node.start) }),
    NewExpression(node) {
      // `new URL('./worker.ts', import.meta.url)` is how a worker's module is named: an import like another.
      const [first] = node.arguments
      if (isNamed(node.callee, 'URL') && first?.type === 'Literal' && /\.tsx?$/.test(String(first.value)))
        importing(first)
      if (isNamed(node.callee, 'Date') && node.arguments.length === 0) global('new Date()', node.start)
    },
  }).visit(program)
  return { path, ...found }
}

const isNamed = (node: ESTree.Node, name: string) => node.type === 'Identifier' && node.name === name

const GLOBALS = /^(Date\.now|Math\.random|performance\.\w+|process\.\w+|crypto\.\w+)$/

function globalOf(node: ESTree.MemberExpression): string | null {
  if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier' || node.computed) return null
  const name = `${node.object.name}.${node.property.name}`
  return GLOBALS.test(name) ? name : null
}

function callOf({ callee, arguments: args }: ESTree.CallExpression): Omit<Call, 'line'> {
  const property = callee.type === 'MemberExpression' ? callee.property : callee
  const name = property.type === 'Identifier' ? property.name : ''
  const [first] = args
  const list = args.flatMap((each) => (each.type === 'ArrayExpression' ? each.elements.map(textOf) : []))
  const types = args.flatMap((each) => (each.type === 'ObjectExpression' ? each.properties : []))
  const type = types.map((each) => (each.type === 'Property' && isNamed(each.key, 'type') ? textOf(each.value) : null))
  return {
    name,
    argument: textOf(first ?? null),
    list: list.filter((each) => each !== null),
    type: type.find((each) => each !== null) ?? null,
  }
}

const textOf = (node: ESTree.Node | null): string | null =>
  node?.type === 'Literal' && typeof node.value === 'string' ? node.value : null

function targetOf(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.normalize(posix.join(posix.dirname(path), specifier))
  if (specifier.startsWith('node:')) return specifier
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** Line (from 1) of an offset. */
function lines(text: string): (offset: number) => number {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let line = starts.length
    while (starts[line - 1]! > offset) line--
    return line
  }
}
