/**
 * Passwords: argon2id by Node's own OpenSSL, on the thread pool, so that a sign-in never stalls a door.
 * Stored as a PHC string (`$argon2id$v=19$m=19456,t=2,p=1$salt$hash`), so that costs can rise later without a migration.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { fail } from './errors.ts'
import { makeGate } from './gate.ts'
import { weaknessOf } from './guessable.ts'

const derive = promisify(argon2)

/** OWASP's password storage cheat sheet: 19 MiB, 2 passes, 1 lane. About 30 ms on one core. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 }
const saltBytes = 16
const hashBytes = 32

/** NIST SP 800-63B 3.1.1: length is what counts; at least 12 here, long phrases welcome. */
export const minPasswordLength = 12
export const maxPasswordLength = 256

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes)
  const hash = await argon2id(password, salt, cost, hashBytes)
  const numbers = `m=${cost.memory},t=${cost.passes},p=${cost.parallelism}`
  return `$argon2id$v=19$${numbers}$${base64(salt)}$${base64(hash)}`
}

/** False for a wrong password and for a hash of another kind. */
export async function verifyPassword(stored: string, password: string): Promise<boolean> {
  const parts = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(stored)
  if (parts === null) return false
  const [, memory, passes, parallelism, salt, hash] = parts
  const want = Buffer.from(hash!, 'base64')
  const stored_ = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) }
  const have = await argon2id(password, Buffer.from(salt!, 'base64'), stored_, want.length)
  return timingSafeEqual(have, want)
}

/**
 * Length in characters as people count them (a letter with its accent is one), of any script, spaces too.
 * @param about what a guesser knows of the person: address, name, organisation
 * @throws Failure `password-weak`, with the reason and what to do
 */
export function assertPassword(password: string, about: string | readonly string[], pointer = '/body/password'): void {
  const weak = (message: string) => fail('password-weak', message, { pointer })
  const length = [...password.normalize('NFKC')].length
  if (length < minPasswordLength)
    throw weak(
      `${minPasswordLength - length} more needed: use at least ${minPasswordLength} characters. A few words do well.`,
    )
  if (length > maxPasswordLength) throw weak(`Too long: use at most ${maxPasswordLength} characters.`)
  const weakness = weaknessOf(password, ['careloop', ...[about].flat()])
  if (weakness === 'about-you')
    throw weak(
      'This is mostly your name, your address, your organisation or Careloop, which are tried first. Add words of other things.',
    )
  if (weakness === 'common')
    throw weak(
      'This, or something very like it, is on lists of known passwords. Use a few words that do not belong together.',
    )
}

/** Half of Node's thread pool (4): sealing, files and names go on in the other half, however many guess at once from wherever. */
const atOnce = makeGate(2)

function argon2id(password: string, nonce: Buffer, costs: typeof cost, tagLength: number): Promise<Buffer> {
  // NFKC: the same phrase typed on another keyboard gives the same bytes.
  return atOnce(() => derive('argon2id', { message: password.normalize('NFKC'), nonce, ...costs, tagLength }))
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
