/** The key under which identity keeps what must not be read from the database: codes' secrets, and look-ups by what was typed. */
import { createHmac } from 'node:crypto'
import type { DataKey, Engine } from '../engine/index.ts'

export interface Secrets {
  /** Seals secrets of second factors. */
  readonly key: DataKey
  /** HMAC-SHA-256 of text, for exact look-ups. @param purpose keeps one kind of text apart from another */
  lookup(purpose: string, text: string): Buffer
}

export async function openSecrets(engine: Engine): Promise<Secrets> {
  const key = await engine.keys.keyFor('auth', 'second-factor')
  const root = createHmac('sha256', key.raw).update('look-ups').digest()
  return { key, lookup: (purpose, text) => createHmac('sha256', root).update(`${purpose}\0${text}`).digest() }
}
