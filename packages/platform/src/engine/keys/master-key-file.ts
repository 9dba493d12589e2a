/**
 * The text of a master key file: a comment, then one key a line, `<id> <base64>`, the current one first. The id is derived
 * from the key, so a line that was mistyped from a paper copy is noticed.
 */
import { engineFailure } from '../errors.ts'
import { type MasterKey, masterKey } from './master-key.ts'
import { KEY_BYTES } from './sealed.ts'

const HEAD = `# Careloop master keys. Without this file nothing that Careloop stores can be read again, not by anyone.
# Keep a copy where the server is not: a safe, a secrets manager. Readable by the server's user only (mode 0600).
# One key a line: id, key (base64). The first is in use; the others still open what they once sealed.
`

export function printMasterKeys(keys: readonly MasterKey[]): string {
  return `${HEAD}${keys.map((key) => `${key.id} ${key.bytes.toString('base64')}\n`).join('')}`
}

/** @throws Failure `master-key-malformed`, naming the line but never its content */
export function parseMasterKeys(text: string): [MasterKey, ...MasterKey[]] {
  const keys: MasterKey[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    keys.push(parseLine(line.trim(), index + 1, keys))
  }
  const [first, ...older] = keys
  if (!first) throw malformed('The master key file holds no key. Put back the copy that was kept in escrow.')
  return [first, ...older]
}

function parseLine(line: string, number: number, before: readonly MasterKey[]): MasterKey {
  const match = /^([0-9a-f]{16}) ([A-Za-z0-9+/]+={0,2})$/.exec(line)
  if (!match) throw malformed(`Line ${number} of the master key file is not "<id> <key in base64>".`)
  const bytes = Buffer.from(match[2]!, 'base64')
  if (bytes.byteLength !== KEY_BYTES || bytes.toString('base64') !== match[2])
    throw malformed(`Line ${number} of the master key file holds ${bytes.byteLength} bytes; a key is ${KEY_BYTES}.`)
  const key = masterKey(bytes)
  if (key.id !== match[1])
    throw malformed(`Line ${number} of the master key file: the key does not belong to its id. Was it copied whole?`)
  if (before.some((other) => other.id === key.id))
    throw malformed(`Line ${number} of the master key file holds a key that stands above already. Remove the line.`)
  return key
}

function malformed(message: string) {
  return engineFailure('master-key-malformed', message)
}
