/**
 * Looks for known words in bytes, in every spelling in which they could lie there: UTF-8, UTF-16 of both orders, base64 at its three
 * alignments and base64url, hexadecimal, and as URLs, JSON and mails escape them.
 */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface Needle {
  /** What a failing test says: never the value. */
  readonly name: string
  readonly value: string
}

export interface Hit {
  readonly needle: string
  readonly form: string
  readonly where: string
}

export interface Haystack {
  search(where: string, bytes: Buffer | string): void
  /** Every file in a folder and below it. @returns how many bytes */
  searchFolder(folder: string): number
  readonly hits: readonly Hit[]
}

/** By its name each form in which the value may lie. */
export function formsOf(value: string): ReadonlyMap<string, Buffer> {
  const utf8 = Buffer.from(value, 'utf8')
  const forms = new Map<string, Buffer>()
  const add = (name: string, form: string | Buffer) => forms.set(name, Buffer.from(form as string))
  const swapped = Buffer.from(value, 'utf16le').swap16()
  add('UTF-8', utf8)
  add('UTF-8, lower case', value.toLowerCase())
  add('UTF-8, upper case', value.toUpperCase())
  add('UTF-16LE', Buffer.from(value, 'utf16le'))
  add('UTF-16BE', swapped)
  for (const [name, bytes] of [
    ['UTF-8', utf8],
    ['UTF-16LE', Buffer.from(value, 'utf16le')],
  ] as const) {
    add(`hex of ${name}`, bytes.toString('hex'))
    add(`HEX of ${name}`, bytes.toString('hex').toUpperCase())
    for (const shift of [0, 1, 2]) {
      const base64 = middleOfBase64(bytes, shift)
      add(`base64 of ${name} +${shift}`, base64)
      add(`base64url of ${name} +${shift}`, base64.replaceAll('+', '-').replaceAll('/', '_'))
    }
  }
  add('URL', encodeURIComponent(value))
  add('URL, lower case', encodeURIComponent(value).toLowerCase())
  add('form', encodeURIComponent(value).replaceAll('%20', '+'))
  add('JSON', JSON.stringify(value).slice(1, -1))
  add('JSON, ASCII', asciiJson(value))
  add(
    'quoted-printable',
    utf8.toString('latin1').replaceAll(/[^ -<>-~]/g, (c) => `=${hex2(c)}`),
  )
  const seen = new Set<string>()
  for (const [name, form] of forms) {
    const text = form.toString('latin1')
    if (seen.has(text)) forms.delete(name)
    seen.add(text)
  }
  return forms
}

/** What base64 of these bytes has in common, whatever stands before and behind them. */
function middleOfBase64(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
  const whole = Math.floor(((bytes.length + shift) * 8) / 6)
  return text.slice(shift === 0 ? 0 : shift + 1, whole)
}

const hex2 = (char: string): string => char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')
const asciiJson = (value: string): string =>
  JSON.stringify(value)
    .slice(1, -1)
    .replaceAll(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

const PIECE = 8 * 1024 * 1024

export function makeHaystack(needles: readonly Needle[]): Haystack {
  const patterns = needles.flatMap(({ name, value }) => {
    if (value.length < 6) throw new Error(`The needle ${name} is too short to be told from chance.`)
    return [...formsOf(value)].map(([form, bytes]) => ({ needle: name, form, bytes }))
  })
  const longest = Math.max(...patterns.map(({ bytes }) => bytes.length))
  // Two bytes decide for nearly every place that nothing begins there: a hundred megabytes take a second, not a minute.
  const begins = new Uint8Array(65_536)
  const byStart = new Map<number, typeof patterns>()
  for (const pattern of patterns) {
    const start = (pattern.bytes[0]! << 8) | pattern.bytes[1]!
    begins[start] = 1
    byStart.set(start, [...(byStart.get(start) ?? []), pattern])
  }
  const hits = new Map<string, Hit>()
  const search = (where: string, bytes: Buffer) => {
    for (let at = 0; at < bytes.length - 1; at++) {
      const start = (bytes[at]! << 8) | bytes[at + 1]!
      if (begins[start] === 0) continue
      for (const pattern of byStart.get(start)!) {
        const end = at + pattern.bytes.length
        if (end > bytes.length || pattern.bytes.compare(bytes, at, end) !== 0) continue
        const { needle, form } = pattern
        hits.set(`${needle} ${form} ${where}`, { needle, form, where })
      }
    }
  }
  const searchFile = (where: string, path: string): number => {
    const file = openIfThere(path)
    if (file === null) return 0
    const piece = Buffer.allocUnsafe(PIECE)
    let total = 0
    let kept = 0
    try {
      for (;;) {
        const read = readSync(file, piece, kept, PIECE - kept, null)
        if (read === 0) return total
        total += read
        search(where, piece.subarray(0, kept + read))
        // What begins in one piece may end in the next.
        const tail = Math.min(longest, kept + read)
        piece.copy(piece, 0, kept + read - tail, kept + read)
        kept = tail
      }
    } finally {
      closeSync(file)
    }
  }
  return {
    search: (where, bytes) => search(where, typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes),
    searchFolder(folder) {
      let bytes = 0
      for (const name of readdirSync(folder, { recursive: true }) as string[]) {
        const path = join(folder, name)
        // A server that runs lets go of files meanwhile: what is gone holds nothing.
        if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) bytes += searchFile(`file ${name}`, path)
      }
      return bytes
    },
    get hits() {
      return [...hits.values()]
    },
  }
}
