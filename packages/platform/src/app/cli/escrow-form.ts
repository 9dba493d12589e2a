/**
 * A master key on paper: its id, its bytes in base64 by groups, and a check of each line, so that a slip of the pen or of the fingers is
 * found in its line. Whoever has the paper and a copy of the data reads everything: it belongs in a safe.
 */
import { createHash } from 'node:crypto'

const CHARS_OF_LINE = 16
/** Told apart badly by hand. */
const HINT =
  'Base64: capitals and small letters differ; 0 is zero, O a letter; 1 is one, l a small letter, I a capital.'

interface Key {
  readonly id: string
  readonly bytes: Uint8Array
}

export function escrowForm(keys: readonly Key[], printedOn: string): string {
  const forms = keys.map((key, index) => {
    const lines = linesOf(key).map(
      (line, at) =>
        `  ${at + 1}   ${line
          .match(/.{1,4}/g)!
          .join(' ')
          .padEnd(20)}  #${check(line)}`,
    )
    return [`Key ${key.id}${index === 0 ? '   (in use)' : '   (opens older backups)'}`, '', ...lines].join('\n')
  })
  return [
    `CARELOOP MASTER KEY, for escrow. Printed ${printedOn}.`,
    'Keep in a safe, away from the server and from its backups. Without it nothing stored can ever be read again;',
    'whoever has it and a copy of the data can read all of it. The two characters behind # are a check of their line.',
    HINT,
    '',
    forms.join('\n\n'),
    '',
    'Put back: write `<id> <the lines without spaces and checks>` on one line of the master key file, mode 0600.',
    'Check a copy: careloop key verify-escrow, and type the id and the lines. Signed: ______________  Kept at: ______________',
    '',
  ].join('\n')
}

export type Typed =
  | { readonly fits: true; readonly id: string; readonly inUse: boolean }
  | { readonly fits: false; readonly says: string }

/**
 * Looks at what somebody typed from the paper: an id, then the lines, with or without their checks. Says which line is wrong, and
 * never what it ought to be.
 */
export function verifyTyped(text: string, held: readonly Key[]): Typed {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)
  const id = /([0-9a-f]{16})/.exec(lines[0] ?? '')?.[1]
  if (id === undefined) return no('The first line is the id of the key: 16 characters of 0-9 and a-f.')
  const key = held.find((each) => each.id === id)
  if (key === undefined)
    return no(`This server holds no key ${id}. Was the id typed right, and is it this server's paper?`)
  const typed = lines.slice(1).map((line) => /^(?:\d\s{2,})?([A-Za-z0-9+/= ]+?)\s*(?:#\s*([0-9a-f]{2}))?$/.exec(line))
  for (const [index, wanted] of linesOf(key).entries()) {
    const [, body, sum] = typed[index] ?? []
    if (body === undefined) return no(`Line ${index + 1} is missing, or holds a character that base64 does not have.`)
    const isRight = body.replaceAll(' ', '') === wanted
    if (!isRight)
      return no(`Line ${index + 1} is not what this server holds. Compare it again, character by character.`)
    if (sum !== undefined && sum !== check(wanted))
      return no(`The check of line ${index + 1} is mistyped; its key is right.`)
  }
  return { fits: true, id, inUse: held[0]?.id === id }
}

const no = (says: string): Typed => ({ fits: false, says })

const linesOf = ({ bytes }: Key): string[] =>
  Buffer.from(bytes)
    .toString('base64')
    .match(new RegExp(`.{1,${CHARS_OF_LINE}}`, 'g'))!

const check = (line: string): string => createHash('sha256').update(line).digest('hex').slice(0, 2)
