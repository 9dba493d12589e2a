/** TLS of pages and API from files, read anew when they change: a renewed certificate is shown without a restart. */
import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { FastifyServerFactory } from 'fastify'
import type { Engine } from '../engine/index.ts'
import { fail } from './errors.ts'
import type { Patience } from './parts.ts'

export interface TlsFiles {
  /** PEM, the server's own certificate first, then those between it and the root. */
  readonly certFile: string
  /** PEM, without a password; readable by the server's user only. */
  readonly keyFile: string
}

/** Renewals come every few weeks: looking this often costs nothing. */
const lookEveryMs = 5_000
const minVersion = 'TLSv1.2'

interface Pair {
  readonly cert: Buffer
  readonly key: Buffer
}

/** @throws Failure `tls-unusable`: not readable, not PEM, or the key is not that of the certificate */
export function readTlsFiles({ certFile, keyFile }: TlsFiles): Pair {
  try {
    const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
    createSecureContext({ ...pair, minVersion })
    return pair
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw fail(
      'tls-unusable',
      `The certificate ${certFile} with the key ${keyFile} cannot be used (${code}). Both are PEM files, the key without a password, and they belong together.`,
      { cause },
    )
  }
}

/** ms since epoch; the first certificate of the file is the server's own. */
export const certificateEnd = (pair: Pair): number => new X509Certificate(pair.cert).validToDate.getTime()

/**
 * Makes Fastify's server a TLS server, and keeps its certificate that of the files. Files that cannot be used (half written, a key
 * that does not fit yet) change nothing: the certificate from before stays, and the log says so once.
 */
export function makeTlsServer(
  engine: Engine,
  files: TlsFiles,
  { headMs, lookMs }: Patience,
): { factory: FastifyServerFactory; stop(): void } {
  const servers = new Set<Server>()
  const first = readTlsFiles(files)
  let seen = marksOf(files)
  const look = () => {
    const now = marksOf(files)
    if (now === seen) return
    seen = now
    try {
      const pair = readTlsFiles(files)
      for (const server of servers) server.setSecureContext({ ...pair, minVersion })
      engine.watch.log.info({ endsAt: certificateEnd(pair) }, 'the certificate of the pages was read anew')
    } catch (err) {
      engine.watch.log.error({ err }, 'the new certificate of the pages cannot be used; the one from before stays')
    }
  }
  return {
    factory: (handler, options) => {
      const server = createServer(
        { ...first, minVersion, headersTimeout: headMs, connectionsCheckingInterval: lookMs },
        handler,
      )
      // Fastify sets these on servers of its own making only.
      server.keepAliveTimeout = Number(options.keepAliveTimeout)
      server.requestTimeout = Number(options.requestTimeout)
      servers.add(server)
      return server
    },
    stop: engine.clock.every(lookEveryMs, look),
  }
}

/** What changes when a file is written or replaced. */
function marksOf({ certFile, keyFile }: TlsFiles): string {
  return [certFile, keyFile]
    .map((file) => {
      const known = statSync(file, { throwIfNoEntry: false })
      return known === undefined ? 'gone' : `${known.ino} ${known.size} ${known.mtimeMs}`
    })
    .join(' | ')
}
