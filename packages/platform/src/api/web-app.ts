/**
 * Serves the built web app: files by their exact name, everything else that a browser navigates to as the page itself.
 * The list of files is read once, so no path of a request ever reaches the file system.
 */
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
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

/** @param root folder of the built app; missing = nothing to serve but 404s that say so */
export async function makeWebApp(root: string | undefined): Promise<Serve> {
  const files = root === undefined ? new Map<string, string>() : await listFiles(root)
  const page = files.get('/index.html')
  const html = page === undefined ? undefined : await readFile(page, 'utf8')
  return async (request, reply) => {
    const path = pathOf(request)
    if ((request.method !== 'GET' && request.method !== 'HEAD') || path.startsWith('/api/')) throw notFound(html)
    const isPage = path === '/index.html' || extname(path) === ''
    if (isPage && html !== undefined) return sendPage(reply, html)
    const file = files.get(path)
    if (file === undefined) throw notFound(html)
    return sendFile(reply, path, file)
  }
}

function pathOf(request: FastifyRequest): string {
  const path = request.url.split('?', 1)[0]!
  return path === '/' ? '/index.html' : path
}

async function sendFile(reply: FastifyReply, path: string, file: string): Promise<FastifyReply> {
  const { size, mtimeMs } = await stat(file)
  const etag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`
  // Names under /assets/ carry a hash of their content: they never change.
  const cache = path.startsWith('/assets/')
    ? 'public, max-age=31536000, immutable'
    : 'public, max-age=0, must-revalidate'
  reply.header('cache-control', cache).header('etag', etag)
  if (reply.request.headers['if-none-match'] === etag) return reply.code(304).send()
  reply.type(mediaTypes[extname(path)] ?? 'application/octet-stream').header('content-length', size)
  return reply.send(reply.request.method === 'HEAD' ? undefined : createReadStream(file))
}

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

const notFound = (html: string | undefined) =>
  html === undefined
    ? fail('route-not-found', 'Nothing here. The web app is not built: run `npm run build -w packages/web`.')
    : fail('route-not-found', 'Nothing here. /api/openapi.json lists what there is.')
