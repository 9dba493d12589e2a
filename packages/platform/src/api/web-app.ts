/**
 * Serves the built web app: files by their exact name, everything else that a browser navigates to as the page itself.
 * The files are read once and held, so no path of a request ever reaches the file system, and pages that are built anew beside a
 * running server change nothing of what it serves.
 */
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { fail } from './errors.ts'
import { pagePolicy } from './security-headers.ts'

/** Vite writes this where a nonce belongs (`html.cspNonce`); each answer gets its own. */
export const noncePlaceholder = '__CSP_NONCE__'

const mediaTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

type Serve = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

/** A file of the app, as it was when the server started. */
interface Held {
  /** null: too large to hold and asked for by developers only (a source map); read when it is asked for. */
  readonly bytes: Buffer | null
  readonly file: string
  readonly etag: string
  /** Made when it is asked for first. */
  gzipped?: Promise<Buffer>
}

/** @param root folder of the built app; missing = nothing to serve but 404s that say so */
export async function makeWebApp(root: string | undefined): Promise<Serve> {
  // The page before the files that it names: a build that is published meanwhile adds files first and takes none of them away.
  const html = root === undefined ? undefined : await readIfThere(join(root, 'index.html'))
  const files = root === undefined ? new Map<string, Held>() : await hold(await listFiles(root))
  return async (request, reply) => {
    const path = pathOf(request)
    if ((request.method !== 'GET' && request.method !== 'HEAD') || /^\/(api|fhir)\//.test(path)) throw notFound(html)
    const isPage = path === '/index.html' || extname(path) === ''
    if (isPage && html !== undefined) return sendPage(reply, html.toString())
    const held = files.get(path)
    if (held === undefined) throw notFound(html)
    return sendFile(reply, path, held)
  }
}

/** @returns undefined when it is not there (any more) */
async function readIfThere(file: string): Promise<Buffer | undefined> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

async function hold(files: ReadonlyMap<string, string>): Promise<Map<string, Held>> {
  const held = new Map<string, Held>()
  for (const [path, file] of files) {
    const isMap = extname(file) === '.map'
    const bytes = isMap ? null : await readIfThere(file)
    const known = await stat(file).catch(() => undefined)
    if (bytes === undefined || known === undefined) continue
    const etag = `W/"${known.size.toString(36)}-${Math.round(known.mtimeMs).toString(36)}"`
    held.set(path, { bytes, file, etag })
  }
  return held
}

function pathOf(request: FastifyRequest): string {
  const path = request.url.split('?', 1)[0]!
  return path === '/' ? '/index.html' : path
}

async function sendFile(reply: FastifyReply, path: string, held: Held): Promise<FastifyReply> {
  const { bytes, file, etag } = held
  // Names under /assets/ carry a hash of their content: they never change.
  const cache = path.startsWith('/assets/')
    ? 'public, max-age=31536000, immutable'
    : 'public, max-age=0, must-revalidate'
  const isText = bytes !== null && bytes.length > leastToCompress && compressed.has(extname(path))
  if (bytes === null && (await stat(file).catch(() => undefined)) === undefined) throw notFound('')
  reply.header('cache-control', cache).header('etag', etag)
  if (isText) reply.header('vary', 'accept-encoding')
  if (reply.request.headers['if-none-match'] === etag) return reply.code(304).send()
  reply.type(mediaTypes[extname(path)] ?? 'application/octet-stream')
  const isHead = reply.request.method === 'HEAD'
  if (bytes === null) return reply.send(isHead ? undefined : createReadStream(file))
  const isZipped = isText && takesGzip(reply.request.headers['accept-encoding'])
  if (isZipped) held.gzipped ??= promisify(gzip)(bytes)
  const body = isZipped ? await held.gzipped! : bytes
  if (isZipped) reply.header('content-encoding', 'gzip')
  return reply.header('content-length', body.length).send(isHead ? undefined : body)
}

/** Less than this is not worth it, bytes. */
const leastToCompress = 1_000
const compressed: ReadonlySet<string> = new Set(['.css', '.js', '.json', '.svg', '.txt'])

/** `gzip;q=0` is a refusal. */
const takesGzip = (accepted: string | string[] | undefined): boolean =>
  /(^|,)\s*gzip\s*(;\s*q=(1|0\.\d*[1-9]))?\s*(,|$)/.test(String(accepted ?? ''))

function sendPage(reply: FastifyReply, html: string): FastifyReply {
  const nonce = randomBytes(16).toString('base64')
  return reply
    .header('content-security-policy', pagePolicy(nonce))
    .header('cache-control', 'no-store')
    .type(mediaTypes['.html']!)
    .send(html.replaceAll(noncePlaceholder, nonce))
}

async function listFiles(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    files.map((file) => [
      file
        .slice(root.replace(/[/\\]+$/, '').length)
        .split(sep)
        .join('/'),
      file,
    ]),
  )
}

const notFound = (html: Buffer | string | undefined) =>
  html === undefined
    ? fail('route-not-found', 'Nothing here. The web app is not built: run `npm run build -w packages/web`.')
    : fail('route-not-found', 'Nothing here. /api/openapi.json lists what there is.')
