import { type Bounds, Unreadable } from '../json/unreadable.ts'
import { type XmlAttribute, type XmlElement, xmlSpace } from './element.ts'
import { type Named, resolved } from './references.ts'

/** What is open while its children are read. */
interface Open extends XmlElement {
  readonly children: (XmlElement | string)[]
  readonly tag: string
  readonly spaces: Spaces
  to: number
}

type Spaces = ReadonlyMap<string, string>

const name = String.raw`[A-Za-z_\u00c0-\u02ff\u0370-\ufffd][\w.\u00b7-\uffff-]*(?::[A-Za-z_\u00c0-\u02ff\u0370-\ufffd][\w.\u00b7-\uffff-]*)?`
const startTag = new RegExp(`<(${name})`, 'y')
const attribute = new RegExp(String.raw`\s+(${name})\s*=\s*(?:"([^"<]*)"|'([^'<]*)')`, 'y')
const endTag = new RegExp(String.raw`</(${name})\s*>`, 'y')
/** FHIR has three at most; narratives a few more. */
const maxAttributes = 64
const close = /\s*(\/?)>/y
const declaration =
  /^<\?xml\s+version\s*=\s*["']1\.0["'](?:\s+encoding\s*=\s*["']([\w.-]+)["'])?(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>/

/**
 * Reads an XML 1.0 document with namespaces and without a DTD: no entities are declared, fetched or expanded, whatever the
 * document asks for, so neither XXE nor a billion laughs can be said in it. `named` gives characters that the surroundings
 * declare (a narrative in JSON may use those of HTML). Refuses what is not well-formed, with its place.
 */
export function readXml(text: string, bounds: Bounds, named?: Named): XmlElement {
  if (text.length > bounds.maxLength) {
    throw new Unreadable(
      'too-long',
      'size',
      `The text is longer than ${bounds.maxLength} characters: send less at once.`,
    )
  }
  const open: Open[] = []
  let root: XmlElement | undefined
  let at = afterDeclaration(text)
  while (at < text.length) {
    const top = open.at(-1)
    if (text.charCodeAt(at) !== 0x3c) {
      at = readText(text, at, top, named)
    } else if (text.startsWith('</', at)) {
      const done = open.pop()
      at = readEnd(text, at, done)
      if (open.length === 0) root = done
    } else if (text.startsWith('<!--', at)) {
      at = readComment(text, at)
    } else if (text.startsWith('<![CDATA[', at) && top) {
      const end = found(text, ']]>', at)
      top.children.push(text.slice(at + 9, end))
      at = end + 3
    } else if (text.startsWith('<?', at)) {
      if (/^<\?xml\b/i.test(text.slice(at, at + 7))) throw broken(text, at, 'the XML declaration stands first and once')
      at = found(text, '?>', at) + 2
    } else if (text.startsWith('<!', at)) {
      throw new Unreadable(
        'structure',
        'xml-dtd',
        'A document type or entity declaration is not accepted: send the elements alone.',
      )
    } else {
      if (root !== undefined) throw broken(text, at, 'there is one root element')
      const [started, isEmpty] = readStart(text, at, top?.spaces ?? noSpaces, named)
      top?.children.push(started)
      at = started.to
      if (!isEmpty) open.push(started)
      else if (top === undefined) root = started
      if (open.length > bounds.maxDepth)
        throw new Unreadable('too-costly', 'depth', `The text nests deeper than ${bounds.maxDepth}.`)
    }
  }
  if (root === undefined || open.length > 0) throw broken(text, text.length, 'an element is not closed')
  return root
}

const noSpaces: Spaces = new Map([['xml', xmlSpace]])

function afterDeclaration(text: string): number {
  const from = text.charCodeAt(0) === 0xfeff ? 1 : 0
  if (!text.startsWith('<?xml', from) || !/\s/.test(text[from + 5] ?? '')) return from
  const [whole, encoding = 'utf-8'] = declaration.exec(text.slice(from, from + 200)) ?? []
  if (whole === undefined) throw broken(text, from, 'the XML declaration must say version 1.0')
  if (!/^(utf-?8|us-ascii)$/i.test(encoding))
    throw new Unreadable('structure', 'xml-encoding', 'The encoding must be UTF-8.')
  return from + whole.length
}

function readText(text: string, at: number, top: Open | undefined, named: Named | undefined): number {
  const next = text.indexOf('<', at)
  const end = next < 0 ? text.length : next
  const run = text.slice(at, end)
  if (top === undefined) {
    if (run.trim() !== '') throw broken(text, at, 'there is text outside the root element')
  } else {
    if (run.includes(']]>')) throw broken(text, at, ']]> must be escaped')
    top.children.push(textOf(text, at, run.replace(/\r\n?/g, '\n'), named))
  }
  return end
}

function readEnd(text: string, at: number, done: Open | undefined): number {
  endTag.lastIndex = at
  const match = endTag.exec(text)
  if (match === null || done === undefined || match[1] !== done.tag)
    throw broken(text, at, 'this end tag closes nothing that is open')
  done.to = endTag.lastIndex
  return done.to
}

function readComment(text: string, at: number): number {
  const end = found(text, '--', at + 4)
  if (text[end + 2] !== '>') throw broken(text, end, 'a comment holds no --')
  return end + 3
}

function readStart(text: string, at: number, outer: Spaces, named: Named | undefined): [Open, boolean] {
  startTag.lastIndex = at
  const tag = startTag.exec(text)?.[1]
  if (tag === undefined) throw broken(text, at, 'a tag is expected')
  const [raw, afterAttributes] = readAttributes(text, startTag.lastIndex, named)
  close.lastIndex = afterAttributes
  const end = close.exec(text)
  if (end === null) throw broken(text, afterAttributes, 'this tag is not well-formed')
  const spaces = spacesOf(raw, outer)
  const [space, local] = qualified(tag, spaces, true) ?? []
  if (space === undefined || local === undefined) throw broken(text, at, 'a prefix is not declared')
  const attributes: XmlAttribute[] = []
  for (const [each, value] of raw) {
    if (each === 'xmlns' || each.startsWith('xmlns:')) continue
    const [of, own] = qualified(each, spaces, false) ?? []
    if (of === undefined || own === undefined) throw broken(text, at, 'a prefix is not declared')
    if (attributes.some((other) => other.name === own && other.space === of))
      throw broken(text, at, 'an attribute stands twice')
    attributes.push({ name: own, space: of, value })
  }
  return [{ name: local, space, attributes, children: [], from: at, to: close.lastIndex, tag, spaces }, end[1] === '/']
}

function readAttributes(text: string, from: number, named: Named | undefined): [Map<string, string>, number] {
  const raw = new Map<string, string>()
  let at = from
  attribute.lastIndex = at
  for (let match = attribute.exec(text); match !== null; match = attribute.exec(text)) {
    const [, key = '', double, single = ''] = match
    if (raw.has(key)) throw broken(text, at, 'an attribute stands twice')
    if (raw.size === maxAttributes) throw broken(text, at, `an element has at most ${maxAttributes} attributes`)
    raw.set(key, textOf(text, at, (double ?? single).replace(/\r\n|[\n\r\t]/g, ' '), named))
    at = attribute.lastIndex
  }
  return [raw, at]
}

function spacesOf(raw: ReadonlyMap<string, string>, outer: Spaces): Spaces {
  let own: Map<string, string> | undefined
  for (const [key, value] of raw) {
    if (key !== 'xmlns' && !key.startsWith('xmlns:')) continue
    own ??= new Map(outer)
    own.set(key.slice(6), value)
  }
  return own ?? outer
}

function qualified(tag: string, spaces: Spaces, isElement: boolean): [string, string] | undefined {
  const colon = tag.indexOf(':')
  if (colon < 0) return [isElement ? (spaces.get('') ?? '') : '', tag]
  const space = spaces.get(tag.slice(0, colon))
  return space === undefined ? undefined : [space, tag.slice(colon + 1)]
}

function textOf(text: string, at: number, run: string, named: Named | undefined): string {
  const value = resolved(run, named)
  if (value === undefined) throw broken(text, at, 'a reference or a character is not one of XML without a DTD')
  return value
}

function found(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from)
  if (at < 0) throw broken(text, from, `${what} is missing`)
  return at
}

/** The place is told, the text is not: it may be PHI. */
function broken(text: string, at: number, words: string): Unreadable {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  return new Unreadable(
    'structure',
    'xml',
    `The text is not well-formed XML: ${words} (line ${line}, column ${at - before.lastIndexOf('\n')}).`,
  )
}
