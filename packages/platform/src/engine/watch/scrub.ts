/**
 * What may stand in a log line besides its constant message. A list of what is allowed, because a list of what is forbidden
 * would have to know every field that a patient's name can hide in.
 */

/** Fields whose text is written by us, or opaque, or about machines. */
const TEXT_FIELDS = new Set([
  ...['tenant', 'subject', 'device', 'gateway', 'site', 'assignment', 'series', 'rule', 'alert', 'task', 'quarantine'],
  ...[
    'principal',
    'credential',
    'process',
    'holder',
    'request',
    'reqId',
    'requestId',
    'id',
    'ref',
    'keyId',
    'enrolment',
  ],
  ...[
    'component',
    'room',
    'stage',
    'role',
    'port',
    'door',
    'lease',
    'cursor',
    'fact',
    'event',
    'job',
    'queue',
    'migration',
  ],
  ...[
    'code',
    'disposition',
    'reason',
    'outcome',
    'state',
    'status',
    'kind',
    'type',
    'signal',
    'profile',
    'program',
    'action',
  ],
  ...[
    'method',
    'route',
    'version',
    'host',
    'listening',
    'database',
    'socket',
    'file',
    'folder',
    'bench',
    'protocol',
    'phase',
  ],
])

/** Longest text a field may carry; ids and codes are shorter. */
const MAX_TEXT = 256
const REDACTED = '[redacted]'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/
/** Our own bearer tokens, and what reads like a secret in a URL. */
const SECRET = /\bcl[a-z]{1,6}_[A-Za-z0-9_-]{20,}|:\/\/[^/\s:@]*:[^/\s@]+@/
const ALL_SECRETS = new RegExp(SECRET, 'g')

/** Makes the fields of a line safe: unknown text, bytes and deep structures go, numbers and claims stay. */
export function scrub(fields: Record<string, unknown>, passes: ReadonlySet<string>): Record<string, unknown> {
  const safe: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) safe[name] = passes.has(name) ? value : scrubValue(name, value, 0)
  return safe
}

function scrubValue(name: string, value: unknown, depth: number): unknown {
  if (typeof value === 'string') return scrubText(name, value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) return value
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (typeof value !== 'object' || depth >= 3 || ArrayBuffer.isView(value)) return REDACTED
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => scrubValue(name, item, depth + 1))
  const inner: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) inner[key] = scrubValue(key, item, depth + 1)
  return inner
}

function scrubText(name: string, text: string): string {
  if (UUID.test(text) || INSTANT.test(text)) return text
  if (!TEXT_FIELDS.has(name) || text.length > MAX_TEXT || SECRET.test(text)) return REDACTED
  return text
}

/** Fastify writes the URL of an unknown route into a message. */
const REQUEST_LINE = /\b(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)([: ])\S+/g

/** A constant message passes; a secret or a request's URL that was put into one does not. */
export function scrubMessage(message: string): string {
  return message.replace(ALL_SECRETS, REDACTED).replace(REQUEST_LINE, `$1$2${REDACTED}`)
}
