/**
 * A file of an export as it lies in its blob: a head that says of each line whose it is and what consent must know of it, then the
 * NDJSON; deflated together. So it is asked again at each fetch, line by line, what whoever fetches may see now.
 */
import { promisify } from 'node:util'
import { constants, deflateRaw, inflateRaw } from 'node:zlib'
import type { Stored } from '../stored.ts'

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

export interface Line {
  readonly subject: string | null
  readonly signals?: readonly string[] | undefined
  readonly program?: string | undefined
  /** JSON, without the line's end. */
  readonly text: string
}

interface Head {
  readonly subjects: readonly string[]
  readonly things: readonly { readonly s?: readonly string[] | undefined; readonly p?: string | undefined }[]
  /** Places in the two lists; -1: of nobody. */
  readonly lines: readonly (readonly [subject: number, thing: number])[]
}

export const lineOf = ({ subject, signals, program }: Stored, text: string): Line => ({
  subject,
  signals,
  program,
  text,
})

export async function packFile(lines: readonly Line[]): Promise<Buffer> {
  const subjects = new Map<string, number>()
  const things = new Map<string, number>()
  const place = (list: Map<string, number>, key: string) => {
    const known = list.get(key)
    if (known !== undefined) return known
    list.set(key, list.size)
    return list.size - 1
  }
  const head: Head = {
    lines: lines.map(({ subject, signals, program }) => [
      subject === null ? -1 : place(subjects, subject),
      place(things, JSON.stringify({ s: signals, p: program })),
    ]),
    subjects: [...subjects.keys()],
    things: [...things.keys()].map((each) => JSON.parse(each) as Head['things'][number]),
  }
  const text = [JSON.stringify(head), ...lines.map((line) => line.text)].join('\n')
  return deflate(text, { level: constants.Z_BEST_SPEED })
}

export async function unpackFile(bytes: Uint8Array): Promise<Line[]> {
  const [first, ...texts] = (await inflate(bytes)).toString('utf8').split('\n')
  const { subjects, things, lines } = JSON.parse(first!) as Head
  return lines.map(([subject, thing], at) => ({
    ...{ subject: subject === -1 ? null : subjects[subject]!, text: texts[at]! },
    ...{ signals: things[thing]!.s, program: things[thing]!.p },
  }))
}
