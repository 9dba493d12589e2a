/**
 * A small S3 store for tests, on loopback: versions, object lock, paging, conditional writes. It checks signatures by its own
 * reading of "Signature Version 4" (not by the library that signs), and enforces object lock against everybody.
 */
import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'

export interface S3StandInOptions {
  readonly bucket?: string
  /** Default true: the bucket keeps versions and takes locks. */
  readonly lock?: boolean
  /** Keys a page of a listing. Default 1,000. */
  readonly pageSize?: number
  /** ms; default the machine's. */
  readonly now?: () => number
  readonly tls?: { readonly key: string; readonly cert: string }
}

export interface S3StandIn {
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly credentials: { readonly keyId: string; readonly secret: string }
  /** Settings as an operator writes them. */
  readonly url: (prefix?: string) => string
  /** Answers the next requests with this status before they do anything. */
  failNext(times: number, status: number): void
  /** Does what the next request wants and then breaks the connection instead of answering. */
  loseNextAnswer(): void
  /** Requests so far, as `METHOD key`. */
  readonly requests: readonly string[]
  /** All versions under a key, newest first, markers as null: what nobody could take away. */
  versions(key: string): readonly (Buffer | null)[]
  close(): Promise<void>
}

interface Version {
  readonly id: string
  readonly body: Buffer | null
  readonly at: number
  readonly retainUntil: number
}

const HEADERS_MIN = ['host', 'x-amz-content-sha256', 'x-amz-date']

export async function startS3StandIn(options: S3StandInOptions = {}): Promise<S3StandIn> {
  const bucket = options.bucket ?? 'careloop-test'
  const store = new Store(options)
  const credentials = { keyId: 'AKTESTKEY', secret: 'secret/of+the=test' }
  const requests: string[] = []
  let failing = { times: 0, status: 503 }
  let losing = false
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await bodyOf(request)
    const url = new URL(request.url ?? '/', 'http://stand-in')
    const key = decodeURIComponent(url.pathname).slice(bucket.length + 2)
    requests.push(`${request.method} ${key}`)
    if (failing.times > 0) {
      failing = { ...failing, times: failing.times - 1 }
      return say(response, { status: failing.status, code: 'SlowDown' })
    }
    const wrong = wrongSignature(request, url, body, credentials, store.now())
    const reply = wrong ?? (url.pathname.split('/')[1] === bucket ? store.answer(request, url, key, body) : NO_BUCKET)
    if (losing) {
      losing = false
      return request.socket.destroy()
    }
    say(response, reply, request.method === 'HEAD')
  }
  const listener = (request: IncomingMessage, response: ServerResponse) =>
    void handle(request, response).catch(() => response.destroy())
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  const endpoint = `${options.tls ? 'https' : 'http'}://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  return {
    ...{ endpoint, bucket, region: 'test-1', credentials, requests },
    url: (prefix = '') => `s3://${bucket}/${prefix}?endpoint=${endpoint}&region=test-1`,
    failNext: (times, status) => {
      failing = { times, status }
    },
    loseNextAnswer: () => {
      losing = true
    },
    versions: (key) => store.versions(key),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

interface Reply {
  readonly status: number
  readonly code?: string
  readonly headers?: Record<string, string>
  readonly body?: Buffer
}

const NO_BUCKET: Reply = { status: 404, code: 'NoSuchBucket' }
const NO_KEY: Reply = { status: 404, code: 'NoSuchKey' }

class Store {
  readonly now: () => number
  readonly #objects = new Map<string, Version[]>()
  readonly #lock: boolean
  readonly #pageSize: number

  constructor({ now = Date.now, lock = true, pageSize = 1_000 }: S3StandInOptions) {
    this.now = now
    this.#lock = lock
    this.#pageSize = pageSize
  }

  versions(key: string) {
    return (this.#objects.get(key) ?? []).map((version) => version.body)
  }

  answer(request: IncomingMessage, url: URL, key: string, body: Buffer): Reply {
    if (key === '') return this.#list(url)
    if (request.method === 'PUT') return this.#put(request, key, body)
    if (request.method === 'DELETE') return this.#delete(key, url.searchParams.get('versionId'))
    const newest = this.#objects.get(key)?.[0]
    if (!newest?.body) return NO_KEY
    const lock = { 'x-amz-object-lock-retain-until-date': new Date(newest.retainUntil).toISOString() }
    const version = this.#lock ? { 'x-amz-version-id': newest.id } : {}
    return { status: 200, body: newest.body, headers: { ...version, ...(newest.retainUntil > 0 ? lock : {}) } }
  }

  #put({ headers }: IncomingMessage, key: string, body: Buffer): Reply {
    const versions = this.#objects.get(key) ?? []
    const mode = headers['x-amz-object-lock-mode']
    const until = headers['x-amz-object-lock-retain-until-date']
    if (headers['if-none-match'] === '*' && versions[0]?.body) return { status: 412, code: 'PreconditionFailed' }
    const md5 = createHash('md5').update(body).digest('base64')
    if (headers['content-md5'] !== undefined && headers['content-md5'] !== md5)
      return { status: 400, code: 'BadDigest' }
    if (mode !== undefined && (!this.#lock || headers['content-md5'] === undefined || mode !== 'COMPLIANCE'))
      return { status: 400, code: 'InvalidRequest' }
    const retainUntil = until === undefined ? 0 : Date.parse(String(until))
    if (mode !== undefined && !(retainUntil > this.now())) return { status: 400, code: 'InvalidArgument' }
    const version = { id: randomUUID(), body, at: this.now(), retainUntil }
    this.#objects.set(key, this.#lock ? [version, ...versions] : [version])
    return { status: 200 }
  }

  #delete(key: string, versionId: string | null): Reply {
    const versions = this.#objects.get(key) ?? []
    if (versionId === null && this.#lock) {
      this.#objects.set(key, [{ id: randomUUID(), body: null, at: this.now(), retainUntil: 0 }, ...versions])
      return { status: 204 }
    }
    const going = versionId === null ? versions : versions.filter((version) => version.id === versionId)
    if (going.some((version) => version.retainUntil > this.now())) return { status: 403, code: 'AccessDenied' }
    this.#objects.set(
      key,
      versions.filter((version) => !going.includes(version)),
    )
    return { status: 204 }
  }

  #list(url: URL): Reply {
    const prefix = url.searchParams.get('prefix') ?? ''
    const after = Buffer.from(url.searchParams.get('continuation-token') ?? '', 'base64').toString()
    const found = [...this.#objects]
      .filter(([key, [newest]]) => newest?.body && key.startsWith(prefix) && key > after)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    const page = found.slice(0, this.#pageSize)
    const isCut = found.length > page.length
    const next = Buffer.from(page.at(-1)?.[0] ?? '').toString('base64')
    const contents = page.map(
      ([key, [newest]]) =>
        `<Contents><Key>${key}</Key><LastModified>${new Date(newest!.at).toISOString()}</LastModified><Size>${newest!.body!.byteLength}</Size></Contents>`,
    )
    const more = isCut ? `<NextContinuationToken>${next}</NextContinuationToken>` : ''
    const xml = `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isCut}</IsTruncated>${more}${contents.join('')}</ListBucketResult>`
    return { status: 200, body: Buffer.from(xml) }
  }
}

function say(response: ServerResponse, reply: Reply, isHead = false): void {
  const xml = reply.code ? `<?xml version="1.0"?><Error><Code>${reply.code}</Code></Error>` : ''
  response.writeHead(reply.status, reply.headers)
  response.end(isHead ? undefined : (reply.body ?? xml))
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex')
const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest()
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function wrongSignature(
  request: IncomingMessage,
  url: URL,
  body: Buffer,
  credentials: S3StandIn['credentials'],
  now: number,
): Reply | null {
  const refuse = (code: string): Reply => ({ status: 403, code })
  const header = (name: string) => String(request.headers[name] ?? '')
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/
  const [, keyId, day = '', region = '', names = '', signature = ''] = pattern.exec(header('authorization')) ?? []
  if (keyId !== credentials.keyId) return refuse('InvalidAccessKeyId')
  const signed = names.split(';')
  const amz = Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))
  if (![...HEADERS_MIN, ...amz].every((name) => signed.includes(name))) return refuse('AccessDenied')
  const stamp = header('x-amz-date')
  const at = Date.parse(stamp.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'))
  if (!(Math.abs(at - now) < 15 * 60_000) || !stamp.startsWith(day)) return refuse('RequestTimeTooSkewed')
  if (header('x-amz-content-sha256') !== sha256(body)) return { status: 400, code: 'XAmzContentSHA256Mismatch' }
  const query = [...url.searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort()
  const canonical = [
    request.method,
    decodeURIComponent(url.pathname).split('/').map(encode).join('/'),
    query.join('&'),
    ...signed.map((name) => `${name}:${header(name).trim().replace(/\s+/g, ' ')}`),
    '',
    names,
    header('x-amz-content-sha256'),
  ].join('\n')
  const text = ['AWS4-HMAC-SHA256', stamp, `${day}/${region}/s3/aws4_request`, sha256(canonical)].join('\n')
  const key = hmac(hmac(hmac(hmac(`AWS4${credentials.secret}`, day), region), 's3'), 'aws4_request')
  const right = hmac(key, text)
  if (region !== 'test-1' || !timingSafeEqual(right, Buffer.from(signature, 'hex')))
    return refuse('SignatureDoesNotMatch')
  return null
}
