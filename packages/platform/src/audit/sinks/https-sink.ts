/** Checkpoints by HTTPS POST to a collector that keeps them. Only 2xx is an acknowledgement; nothing is followed elsewhere. */
import { readFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { auditFailure } from '../errors.ts'
import { type AuditSink, printRecord } from './sink.ts'

export interface HttpsSinkSettings {
  readonly kind: 'https'
  readonly url: string
  /** Sent as a bearer token. Never log it. */
  readonly token?: string
  readonly caFile?: string
}

const TIMEOUT_MS = 15_000

export function makeHttpsSink({ url, token, caFile }: HttpsSinkSettings): AuditSink {
  const target = new URL(url)
  const ca = caFile === undefined ? undefined : readFileSync(caFile)
  const name = `https ${target.host}${target.pathname}`
  return {
    name,
    isElsewhere: true,
    async deliver(record) {
      const body = Buffer.from(printRecord(record))
      const status = await post(target, body, { ca, token })
      if (status < 200 || status > 299)
        throw auditFailure('audit-sink-refused', `The audit sink ${name} answered ${status}. It is tried again.`)
    },
  }
}

function post(url: URL, body: Buffer, { ca, token }: { ca: Buffer | undefined; token: string | undefined }) {
  const start = url.protocol === 'https:' ? tlsRequest : plainRequest
  const headers = {
    'content-type': 'application/json',
    'content-length': body.byteLength,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  return new Promise<number>((resolve, reject) => {
    const request = start(url, { method: 'POST', headers, ca, agent: false, timeout: TIMEOUT_MS }, (response) => {
      response.resume()
      response.on('error', reject)
      response.on('end', () => resolve(response.statusCode ?? 0))
      response.on('aborted', () => reject(new Error('the answer broke off')))
    })
    request.on('timeout', () => request.destroy(new Error('no answer in time')))
    request.on('error', reject)
    request.end(body)
  })
}
