/** Ids that follow from what a resource is of, so that whoever makes it again writes the same one. They tell nothing. */
import { createHash } from 'node:crypto'
import { systems } from './systems.ts'

/** @param parts what makes it one; the first names the kind */
export function idOf(...parts: readonly (string | number)[]): string {
  const hash = createHash('sha256')
    .update(`careloop:${parts.map(String).join('\u0000')}`)
    .digest()
  hash[6] = (hash[6]! & 0x0f) | 0x80
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The same as an identifier: it stays with copies that another system keeps, and sends back to us. */
export const identifiersOf = (id: string): readonly object[] => [{ system: systems.observation, value: id }]
