/**
 * A column of optional texts (group ids, units, who typed it, special values): a dictionary, then runs of equal entries.
 * UUIDs, which group ids are, take 16 bytes.
 */
import { type ByteReader, type ByteWriter, damaged } from './bytes.ts'

export type Texts = readonly (string | undefined)[]

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function writeTexts(out: ByteWriter, texts: Texts): void {
  const places = new Map<string, number>()
  for (const text of texts) if (text !== undefined && !places.has(text)) places.set(text, places.size + 1)
  out.varint(places.size)
  for (const text of places.keys()) writeText(out, text)
  for (let start = 0; start < texts.length; ) {
    let end = start + 1
    while (end < texts.length && texts[end] === texts[start]) end++
    const text = texts[start]
    out.varint(text === undefined ? 0 : places.get(text)!)
    out.varint(end - start)
    start = end
  }
}

export function readTexts(from: ByteReader, n: number): (string | undefined)[] {
  const dictionary: (string | undefined)[] = [undefined]
  const entries = from.varint()
  if (entries > n) throw damaged('has more texts than readings')
  for (let i = 0; i < entries; i++) dictionary.push(readText(from))
  const texts: (string | undefined)[] = []
  while (texts.length < n) {
    const place = from.varint()
    const length = from.varint()
    if (place >= dictionary.length || length === 0 || length > n - texts.length)
      throw damaged('has a run out of bounds')
    const text = dictionary[place]
    for (let i = 0; i < length; i++) texts.push(text)
  }
  return texts
}

/** Length times two, plus one for a UUID, whose 16 bytes follow in place of its 36 characters. */
function writeText(out: ByteWriter, text: string): void {
  const packed = UUID.test(text)
  const bytes = packed ? Buffer.from(text.replaceAll('-', ''), 'hex') : Buffer.from(text, 'utf8')
  out.varint(bytes.length * 2 + (packed ? 1 : 0))
  out.raw(bytes)
}

function readText(from: ByteReader): string {
  const head = from.varint()
  const bytes = Buffer.from(from.raw(Math.floor(head / 2)))
  if (head % 2 === 0) return bytes.toString('utf8')
  if (bytes.length !== 16) throw damaged('has a broken identifier')
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
