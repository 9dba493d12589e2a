/** How a message is built, without one value of it: enough to mend a decoder by, and nothing to read a patient by. */
import type { MessagePart } from '@careloop/contract'

const mostParts = 300
/** A name that somebody gave a field; whatever else stands in its place may be a value. */
const fieldName = /^[A-Za-z_][A-Za-z0-9_.:-]{0,39}$/

/** Parts from the outside in, in their order; of what is no JSON its size alone. */
export function structureOf(bytes: Buffer): MessagePart[] {
  try {
    const parts: MessagePart[] = []
    walk(JSON.parse(bytes.toString('utf8')), '', parts)
    return parts
  } catch {
    return [{ pointer: '', type: 'bytes', size: bytes.byteLength }]
  }
}

function walk(value: unknown, pointer: string, parts: MessagePart[]): void {
  if (parts.length >= mostParts) return
  if (Array.isArray(value)) {
    parts.push({ pointer, type: 'array', size: value.length })
    for (const [at, each] of value.entries()) walk(each, `${pointer}/${at}`, parts)
  } else if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value)
    parts.push({ pointer, type: 'object', size: fields.length })
    for (const [name, each] of fields) walk(each, `${pointer}/${fieldName.test(name) ? name : '*'}`, parts)
  } else parts.push({ pointer, ...leaf(value) })
}

/** How many digits a number has would tell what it is. */
function leaf(value: unknown): Pick<MessagePart, 'type' | 'size'> {
  if (typeof value === 'string') return { type: 'text', size: Buffer.byteLength(value) }
  if (typeof value === 'number') return { type: 'number', size: null }
  return { type: typeof value === 'boolean' ? 'boolean' : 'null', size: null }
}
