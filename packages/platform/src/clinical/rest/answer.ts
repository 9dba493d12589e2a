/** An answer of ours as HTTP: headers of its version, in the form that was asked for, deflated where that pays. */
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { type FhirTree, parseFhir, type SummaryMode, summarised, withElements } from '@careloop/fhir'
import type { Replied, ReplyHeaders } from '../../identity/index.ts'
import type { FhirContext } from './context.ts'
import { informationOf } from './failure-outcome.ts'
import { type Format, typeOf, writtenIn } from './format.ts'
import { etagOf, type FhirAnswer } from './request.ts'

const deflated = promisify(gzip)
/** Shorter ones gain nothing worth their time. */
const worthDeflating = 4_096

export async function replyWith(ctx: FhirContext, answer: FhirAnswer, format: Format): Promise<Replied> {
  const headers = headersOf(answer)
  const body = shapedBody(ctx, answer)
  if (body === null) return ctx.send(answer.status, typeOf(format), '', { headers })
  const text = writtenIn(
    format,
    body,
    ctx.pairs.some(([name, value]) => name === '_pretty' && value === 'true'),
  )
  return sendText(ctx, answer.status, { text, format, headers })
}

export async function sendText(
  ctx: FhirContext,
  status: number,
  { text, format, headers }: { text: string; format: Format; headers: ReplyHeaders },
): Promise<Replied> {
  const vary = { ...headers, vary: 'accept, accept-encoding' }
  if (text.length < worthDeflating || !takesGzip(ctx.headers['accept-encoding']))
    return ctx.send(status, typeOf(format), text, { headers: vary })
  const bytes = await deflated(text, { level: constants.Z_BEST_SPEED })
  return ctx.send(status, typeOf(format), bytes, { headers: { ...vary, 'content-encoding': 'gzip' } })
}

const takesGzip = (header: string | string[] | undefined): boolean => {
  const found = /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=([0-9.]+))?/i.exec(String(header ?? ''))
  return found !== null && (found[1] === undefined || Number(found[1]) > 0)
}

function headersOf({ stored, location }: FhirAnswer): ReplyHeaders {
  return {
    ...(stored === undefined
      ? {}
      : { etag: etagOf(stored), 'last-modified': new Date(stored.updatedAt).toUTCString() }),
    ...(location === undefined ? {} : { location }),
  }
}

/** As the client wants it: after a write all of it, nothing, or words; else by `_summary` and `_elements`. */
function shapedBody(ctx: FhirContext, { body, isWrite }: FhirAnswer): { text: string } | { tree: FhirTree } | null {
  if (body === undefined) return null
  if (isWrite === true) {
    const wanted = preferred(ctx.headers.prefer, 'return')
    if (wanted === 'minimal') return null
    return wanted === 'OperationOutcome' ? { tree: informationOf('It is written.') } : body
  }
  const asked = (name: string) => ctx.pairs.find(([each]) => each === name)?.[1]
  const tree = () => ('text' in body ? parseFhir(body.text) : body.tree)
  const isBundle = 'tree' in body && body.tree.resourceType === 'Bundle'
  // Of a Bundle its maker has shaped the entries.
  if (isBundle) return body
  const elements = asked('_elements')
  if (elements !== undefined) return { tree: withElements(tree(), elements.split(',')) }
  const summary = asked('_summary')
  return isSummary(summary) ? { tree: summarised(tree(), summary) } : body
}

const isSummary = (word: string | undefined): word is SummaryMode => ['true', 'text', 'data'].includes(word ?? '')

/** A word of the header Prefer: `return=minimal; handling=strict`. */
export function preferred(header: string | string[] | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  const found = new RegExp(`(?:^|[;,\\s])${name}\\s*=\\s*"?([A-Za-z-]+)"?`).exec(String(header ?? ''))
  return found?.[1]
}
