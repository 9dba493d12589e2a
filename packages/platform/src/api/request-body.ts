/**
 * Bodies, read by ourselves and only after the asker was admitted: bounded as sent and bounded after gzip, so that neither a
 * large body nor a small bomb is ever held in memory.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { fail } from './errors.ts'

export interface BodyBounds {
  readonly maxBytes: number
  readonly maxInflatedBytes: number
}

/** @throws Failure `body-too-large`, `encoding-unsupported`, `body-broken` */
export async function readBytes(source: Readable, headers: IncomingHttpHeaders, bounds: BodyBounds): Promise<Buffer> {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw fail('encoding-unsupported', 'Send the body as it is or with Content-Encoding: gzip.')
  if (Number(headers['content-length'] ?? 0) > bounds.maxBytes) throw tooLarge(bounds.maxBytes)
  // The request is never destroyed here: that would take its socket along, and the refusal could not be told.
  const sent = bounded(arriving(source.iterator({ destroyOnReturn: false })), bounds.maxBytes)
  if (encoding === 'identity') return collect(sent)
  return collect(bounded(inflated(sent), bounds.maxInflatedBytes))
}

/** @throws Failure `body-not-json` */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // JSON.parse quotes the text at fault in its message: it is not passed on.
    throw fail('body-not-json', 'The body is not JSON in UTF-8. Check quotes, commas and encoding.', {
      pointer: '/body',
    })
  }
}

/** The media type without parameters, lower case; `''` when none was sent. */
export const mediaTypeOf = (headers: IncomingHttpHeaders): string =>
  (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()

async function* arriving(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* chunks
  } catch (error) {
    throw fail('body-broken', 'The connection broke before the body was whole. Send it again.', { cause: error })
  }
}

async function* bounded(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > maxBytes) throw tooLarge(maxBytes)
    yield chunk
  }
}

async function* inflated(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip()
  // The pump's own failure (too large as sent) must win over the inflater's complaint about a cut stream.
  const pump = (async () => {
    for await (const chunk of chunks) if (!gunzip.write(chunk)) await drained(gunzip)
    gunzip.end()
  })().catch((error: Error) => gunzip.destroy(error))
  try {
    yield* gunzip as AsyncIterable<Buffer>
  } catch (error) {
    if ((error as { code?: unknown }).code?.toString().startsWith('Z_'))
      throw fail('body-broken', 'The gzip stream is damaged or cut. Send it again.', { pointer: '/body' })
    throw error
  } finally {
    gunzip.destroy()
    await pump
  }
}

const drained = (stream: NodeJS.EventEmitter): Promise<void> =>
  new Promise((resolve) => {
    stream.once('drain', resolve)
    stream.once('close', resolve)
  })

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

const tooLarge = (maxBytes: number) =>
  fail('body-too-large', `At most ${maxBytes} bytes here, after gzip too. Send it in parts.`, { pointer: '/body' })
