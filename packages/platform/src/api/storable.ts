/** What no room could keep is refused at the door, or it would be an error of ours deep inside. */
import { fail } from './errors.ts'

/** FHIR resources nest about 15 deep; what follows a document recursively must not run out of stack. */
const maxDepth = 64

/**
 * PostgreSQL's text cannot hold U+0000.
 * @throws Failure `request-invalid`
 */
export function assertStorable(part: string, value: unknown, depth = 0): void {
  if (typeof value === 'string') assertText(part, value)
  if (typeof value !== 'object' || value === null) return
  if (depth >= maxDepth)
    throw fail('request-invalid', `Nested more than ${maxDepth} deep. Send it flatter.`, { pointer: `/${part}` })
  for (const [key, inner] of Object.entries(value)) {
    assertText(part, key)
    assertStorable(part, inner, depth + 1)
  }
}

function assertText(part: string, text: string): void {
  if (!text.includes('\0')) return
  throw fail('request-invalid', 'A text holds the character U+0000, which no text may. Leave it out.', {
    pointer: `/${part}`,
  })
}
