/**
 * The shared test material: vectors that nobody on this project wrote. It lies beside the checkout and is never copied in; a
 * clone without it runs our own vectors only and says so in one line.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Failure } from '@careloop/contract'

const folder = fileURLToPath(new URL('../../../../../shared/material/', import.meta.url))

const isThere = existsSync(folder)
if (!isThere) console.info('The shared test material is not beside this checkout: only our own vectors are run.')

/** The vectors of one file, or none. `T` is the shape that the file is known to have. */
export function vectorsOf<T>(path: string): readonly T[] {
  return isThere ? (JSON.parse(readFileSync(folder + path, 'utf8')) as T[]) : []
}

/** Our own vectors, in packages/profiles/testdata. */
export function ownVectors<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(new URL(`../../testdata/${name}`, import.meta.url), 'utf8')) as T[]
}

export const hex = (text: string): Uint8Array => Buffer.from(text.replace(/\s/g, ''), 'hex')

export const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))

/** How many random frames each decoder is given: 10,000 here, a million by `FUZZ_CASES`. */
export const fuzzCases = Number(process.env.FUZZ_CASES ?? 10_000)

/** What a decoder threw; fails the test when it threw nothing, or something that is no Failure. */
export function refusal(decode: () => unknown): Failure {
  try {
    decode()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('the frame was not refused')
}
