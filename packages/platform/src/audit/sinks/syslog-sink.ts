/**
 * Checkpoints by syslog over TLS: messages of RFC 5424, framed by their length (RFC 5425). Syslog has no acknowledgement: what counts
 * is that the receiver took all bytes and closed the connection in order. It carries the checkpoint alone, which fits every receiver.
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { connect, type TLSSocket } from 'node:tls'
import { auditFailure } from '../errors.ts'
import { readCheckpoint } from '../seal/checkpoint.ts'
import type { AuditSink } from './sink.ts'

export interface SyslogSinkSettings {
  readonly kind: 'syslog'
  readonly host: string
  readonly port: number
  readonly caFile?: string
  /** Where the receiver wants to know who sends. */
  readonly certFile?: string
  readonly keyFile?: string
}

const TIMEOUT_MS = 15_000
/** Facility 13 (log audit), severity 6 (informational). */
const PRIORITY = 13 * 8 + 6

export function makeSyslogSink(settings: SyslogSinkSettings): AuditSink {
  const { host, port } = settings
  const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path))
  const tls = { ca: read(settings.caFile), cert: read(settings.certFile), key: read(settings.keyFile) }
  const name = `syslog ${host}:${port}`
  return {
    name,
    isElsewhere: true,
    async deliver({ checkpoint }) {
      const socket = connect({ host, port, ...tls, minVersion: 'TLSv1.2' })
      await sent(socket, syslogFrame(checkpoint)).catch((cause: NodeJS.ErrnoException) => {
        const why = cause.code ?? cause.message
        throw auditFailure(
          'audit-sink-refused',
          `The audit sink ${name} does not take it (${why}). It is tried again.`,
          {
            cause,
          },
        )
      })
    },
  }
}

/** `LENGTH <PRI>1 TIME HOST APP PROCID MSGID - MSG`; the checkpoint as one line of JSON. */
export function syslogFrame(checkpoint: string): Buffer {
  const time = new Date(readCheckpoint(checkpoint)?.time ?? 0).toISOString()
  const head = `<${PRIORITY}>1 ${time} ${hostname().replace(/[^\x21-\x7e]/g, '') || '-'} careloop ${process.pid} checkpoint - `
  const message = Buffer.from(head + JSON.stringify({ checkpoint }))
  return Buffer.concat([Buffer.from(`${message.byteLength} `), message])
}

function sent(socket: TLSSocket, frame: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')))
    socket.on('secureConnect', () => socket.end(frame))
    socket.on('error', reject)
    socket.resume()
    socket.on('close', (failed) => failed || resolve())
  })
}
