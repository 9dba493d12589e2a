/** One signed request to an S3 store, tried again within bounds when the store is busy or away. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { AwsV4Signer } from 'aws4fetch'
import { engineFailure } from '../errors.ts'
import type { S3StoreParts } from './s3-store.ts'

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE'
  /** Behind the bucket; every character stands for itself in a URL. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

export interface S3Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

const ATTEMPTS = 4
/** Of one request with all its attempts. */
const WHOLE_MS = 300_000
const FIRST_PAUSE_MS = 250
/** No object of ours is larger. */
const MAX_ANSWER_BYTES = 1024 ** 3

export function makeS3Sender(parts: S3StoreParts): (request: S3Request) => Promise<S3Answer> {
  const { clock, settings } = parts
  const ca = settings.caFile === undefined ? undefined : readFileSync(settings.caFile)
  return async (request) => {
    // A store that sends a byte now and then is never silent, and never done either.
    const whole = AbortSignal.timeout(parts.wholeMs ?? WHOLE_MS)
    for (let attempt = 1; ; attempt++) {
      const answer = await attemptOnce(parts, ca, request, whole).catch((cause: NodeJS.ErrnoException) => cause)
      if (!(answer instanceof Error) && !isBusy(answer.status)) return answer
      if (attempt === ATTEMPTS || whole.aborted) throw unreachable(settings.endpoint, answer)
      await clock.sleep(FIRST_PAUSE_MS * 4 ** (attempt - 1))
    }
  }
}

const isBusy = (status: number): boolean =>
  status === 408 || status === 429 || status === 500 || status === 502 || status === 503 || status === 504

async function attemptOnce(
  parts: S3StoreParts,
  ca: Buffer | undefined,
  request: S3Request,
  whole: AbortSignal,
): Promise<S3Answer> {
  const { settings, clock, timeoutMs = 30_000 } = parts
  const url = new URL(`${settings.endpoint}/${settings.bucket}/${request.path}`)
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value)
  const signed = await new AwsV4Signer({
    ...{ method: request.method, url: url.href, service: 's3', region: settings.region },
    ...{ accessKeyId: settings.credentials.keyId, secretAccessKey: settings.credentials.secret },
    headers: {
      ...request.headers,
      // Signed with the rest: what arrives is what was sent, also without TLS.
      'x-amz-content-sha256': createHash('sha256')
        .update(request.body ?? '')
        .digest('hex'),
    },
    datetime: new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    // content-md5 and if-none-match are as much a part of the wish as the path.
    allHeaders: true,
  }).sign()
  return send(signed, request.body, { ca, timeoutMs, whole })
}

function send(
  signed: { readonly method: string; readonly url: URL; readonly headers: Headers },
  body: Uint8Array | undefined,
  options: { readonly ca: Buffer | undefined; readonly timeoutMs: number; readonly whole: AbortSignal },
): Promise<S3Answer> {
  const start = signed.url.protocol === 'https:' ? tlsRequest : plainRequest
  const headers = { ...Object.fromEntries(signed.headers), 'content-length': String(body?.byteLength ?? 0) }
  return new Promise((resolve, reject) => {
    const request = start(
      signed.url,
      // A connection of its own: a kept one that the store has just closed would fail an upload for nothing.
      {
        method: signed.method,
        headers,
        ca: options.ca,
        agent: false,
        timeout: options.timeoutMs,
        signal: options.whole,
      },
      (response) => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.byteLength
          chunks.push(chunk)
          if (bytes > MAX_ANSWER_BYTES) request.destroy(new Error('the answer is too large'))
        })
        response.on('error', reject)
        response.on('aborted', () => reject(new Error('the answer broke off')))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers as Record<string, string>,
            body: Buffer.concat(chunks),
          }),
        )
      },
    )
    request.on('timeout', () => request.destroy(new Error('no answer in time')))
    request.on('error', reject)
    request.end(body)
  })
}

function unreachable(endpoint: string, last: S3Answer | NodeJS.ErrnoException) {
  const why = last instanceof Error ? (last.code ?? last.message) : `it is busy, ${last.status}`
  const message = `The object store at ${new URL(endpoint).host} cannot be reached (${why}). It is tried again later.`
  return engineFailure('object-store-unreachable', message, last instanceof Error ? { cause: last } : {})
}
