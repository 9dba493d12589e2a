/**
 * Objects in a bucket by the S3 protocol, which AWS, MinIO, Ceph and others speak. Requests are signed by aws4fetch and sent by
 * Node's own client, which takes a certificate authority of one's own. Everything is bounded: attempts, time, bytes.
 */
import { createHash } from 'node:crypto'
import { engineFailure } from '../errors.ts'
import type { Clock } from '../ports.ts'
import { assertObjectKey, assertObjectPrefix, type ObjectStore } from './object-store.ts'
import type { S3Settings } from './object-store-settings.ts'
import { parseListing, parseS3Code } from './s3-answers.ts'
import { makeS3Sender, type S3Answer, type S3Request } from './s3-sender.ts'

export interface S3StoreParts {
  readonly settings: S3Settings
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  /** Silence in one attempt. Default 30 s. */
  readonly timeoutMs?: number
  /** Of a request with all its attempts. Default 5 min. */
  readonly wholeMs?: number
}

type Send = (request: S3Request) => Promise<S3Answer>

/** Versions of one object that `delete` takes away; more would mean that somebody writes at the same time. */
const MAX_VERSIONS = 100

export function makeS3Store(parts: S3StoreParts): ObjectStore {
  const { prefix, bucket, endpoint } = parts.settings
  const send = makeS3Sender(parts)
  const pathOf = (key: string) => {
    assertObjectKey(key)
    return prefix + key
  }
  return {
    name: `s3 ${new URL(endpoint).host}/${bucket}/${prefix}`,
    put: (key, bytes, options = {}) => put(send, pathOf(key), bytes, options.retainUntil),
    async get(key) {
      const answer = await send({ method: 'GET', path: pathOf(key) })
      if (answer.status === 404 && parseS3Code(answer.body) !== 'NoSuchBucket') return null
      return expectOk(answer, 'read').body
    },
    async *list(wanted) {
      assertObjectPrefix(wanted)
      for (let token: string | undefined, first = true; first || token !== undefined; first = false) {
        const query = { 'list-type': '2', prefix: prefix + wanted, ...(token ? { 'continuation-token': token } : {}) }
        const page = parseListing(expectOk(await send({ method: 'GET', path: '', query }), 'list').body)
        for (const found of page.objects) yield { ...found, key: found.key.slice(prefix.length) }
        token = page.next
      }
    },
    delete: (key) => deleteVersions(send, pathOf(key)),
  }
}

async function put(send: Send, path: string, body: Uint8Array, retainUntil: Date | undefined): Promise<void> {
  // A bucket with object lock wants a digest of what it will hold.
  const digest = { 'content-md5': createHash('md5').update(body).digest('base64') }
  const request = { method: 'PUT', path, body } as const
  if (retainUntil === undefined) {
    expectOk(await send({ ...request, headers: digest }), 'write')
    return
  }
  const lock = {
    ...digest,
    'x-amz-object-lock-mode': 'COMPLIANCE',
    'x-amz-object-lock-retain-until-date': retainUntil.toISOString(),
  }
  // A second version would hide the first, which the lock keeps: what is held is written once.
  const answer = await send({ ...request, headers: { ...lock, 'if-none-match': '*' } })
  if (answer.status === 501) expectOk(await send({ ...request, headers: lock }), 'write')
  else if (answer.status === 412 || answer.status === 409) await assertSame(send, path, body)
  else expectOk(answer, 'write')
}

/** The answer to an earlier attempt may have been lost: the same bytes are there, and all is well. */
async function assertSame(send: Send, path: string, body: Uint8Array): Promise<void> {
  const held = expectOk(await send({ method: 'GET', path }), 'read').body
  if (!held.equals(body)) throw retained(path)
}

/** Version by version: in a bucket with versions a plain delete only hides, and nothing would ever be free again. */
async function deleteVersions(send: Send, path: string): Promise<void> {
  for (let versions = 0; versions < MAX_VERSIONS; versions++) {
    const head = await send({ method: 'HEAD', path })
    if (head.status === 404) return
    expectOk(head, 'read')
    const version = head.headers['x-amz-version-id']
    const query = version === undefined ? {} : { versionId: version }
    const answer = await send({ method: 'DELETE', path, query })
    const until = head.headers['x-amz-object-lock-retain-until-date']
    if (answer.status >= 400 && until !== undefined) throw retained(path)
    expectOk(answer, 'delete')
    if (version === undefined) return
  }
}

const retained = (path: string) =>
  engineFailure('object-retained', `Object ${path} is held by the store: it can be neither replaced nor removed yet.`)

function expectOk(answer: S3Answer, doing: string): S3Answer {
  if (answer.status >= 200 && answer.status < 300) return answer
  const code = parseS3Code(answer.body)
  const message = `The object store refuses to ${doing}: ${answer.status}${code ? ` ${code}` : ''}. ${HELP[code] ?? 'Look at the address, the bucket and the rights of the key.'}`
  throw engineFailure('object-store-refused', message)
}

const HELP: Readonly<Record<string, string>> = {
  NoSuchBucket: 'Make the bucket first.',
  RequestTimeTooSkewed: 'The clock of this machine or of the store is wrong.',
  SignatureDoesNotMatch: 'The secret or the region is wrong.',
  InvalidAccessKeyId: 'The store does not know this key id.',
  AccessDenied: 'The key lacks a right: s3:GetObject, PutObject, PutObjectRetention, ListBucket, DeleteObjectVersion.',
  InvalidRequest: 'Is object lock switched on for the bucket? It can be chosen only when the bucket is made.',
}
