/**
 * Signed notes and their keys as C2SP's `signed-note` has them, so that tools of others can check a checkpoint: a text, an empty line,
 * and lines `— name base64(key id || signature)`. Ed25519 (algorithm byte 1).
 */
import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'

export interface Signer {
  readonly name: string
  /** What verifiers are given: `name+key id+base64(1 || public key)`. */
  readonly verifierKey: string
  /** @param text ends with a line's end */
  sign(text: string): string
}

const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex')
const ALGORITHM = Buffer.from([1])

/** @param seed 32 bytes, the private key of RFC 8032 */
export function makeSigner(name: string, seed: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const publicKey = spki.subarray(SPKI_ED25519.byteLength)
  const id = keyIdOf(name, publicKey)
  return {
    name,
    verifierKey: `${name}+${id.toString('hex')}+${Buffer.concat([ALGORITHM, publicKey]).toString('base64')}`,
    sign(text) {
      const signature = Buffer.concat([id, sign(null, Buffer.from(text), key)])
      return `${text}\n\u2014 ${name} ${signature.toString('base64')}\n`
    },
  }
}

/** SHA-256 of name, line feed, algorithm and key: its first four bytes. */
const keyIdOf = (name: string, publicKey: Uint8Array): Buffer =>
  hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), ALGORITHM, publicKey]), 'buffer').subarray(0, 4)

interface Verifier {
  readonly name: string
  readonly id: Buffer
  readonly key: KeyObject
}

/** @returns undefined when the text is no verifier key, or was not copied whole */
export function parseVerifierKey(text: string): Verifier | undefined {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text.trim())
  const [, name = '', id = '', encoded = ''] = match ?? []
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.byteLength !== 33 || bytes[0] !== 1) return undefined
  const publicKey = bytes.subarray(1)
  if (keyIdOf(name, publicKey).toString('hex') !== id) return undefined
  const key = createPublicKey({ key: Buffer.concat([SPKI_ED25519, publicKey]), format: 'der', type: 'spki' })
  return { name, id: Buffer.from(id, 'hex'), key }
}

/** The text of a note; undefined when this key did not sign it. Signatures of others (witnesses) may stand beside. */
export function openNote(note: string, verifierKey: string): string | undefined {
  const verifier = parseVerifierKey(verifierKey)
  const end = note.lastIndexOf('\n\n')
  if (verifier === undefined || end < 0) return undefined
  const text = note.slice(0, end + 1)
  for (const line of note.slice(end + 2).split('\n')) {
    const [, name, encoded = ''] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? []
    const bytes = Buffer.from(encoded, 'base64')
    if (name !== verifier.name || !bytes.subarray(0, 4).equals(verifier.id)) continue
    if (verify(null, Buffer.from(text), verifier.key, bytes.subarray(4))) return text
  }
  return undefined
}
