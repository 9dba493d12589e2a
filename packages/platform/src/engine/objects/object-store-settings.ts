/** `file:///path` or `s3://bucket/prefix?endpoint=https://host&region=r&ca=/path/ca.pem`, as an operator writes it. */
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'

export type ObjectStoreSettings = FolderSettings | S3Settings

export interface FolderSettings {
  readonly kind: 'folder'
  readonly folder: string
}

export interface S3Settings {
  readonly kind: 's3'
  /** Scheme, host and port; the bucket goes into the path, which every store understands. */
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  /** Empty, or ends with a slash. */
  readonly prefix: string
  readonly credentials: S3Credentials
  /** Path of a PEM file with the authority of a store of one's own. */
  readonly caFile?: string
}

export interface S3Credentials {
  readonly keyId: string
  /** Never log it. */
  readonly secret: string
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const PREFIX = /^([A-Za-z0-9_=][A-Za-z0-9._=-]*\/)*$/
const KNOWN = ['endpoint', 'region', 'ca']

/** @returns settings, or what is wrong in words that quote no secret */
export function readObjectStoreSettings(
  text: string,
  credentials?: Partial<S3Credentials>,
): ObjectStoreSettings | { readonly wrong: string } {
  if (!URL.canParse(text)) return { wrong: 'file:///folder or s3://bucket/prefix?endpoint=https://host is expected.' }
  const url = new URL(text)
  if (url.protocol === 'file:') return url.host === '' ? folderOf(url) : { wrong: 'file:/// has three slashes.' }
  if (url.protocol === 's3:') return s3Of(url, credentials)
  return { wrong: 'file:///folder or s3://bucket/prefix?endpoint=https://host is expected.' }
}

const folderOf = (url: URL): FolderSettings => ({ kind: 'folder', folder: fileURLToPath(url.href) })

function s3Of(url: URL, credentials: Partial<S3Credentials> | undefined): S3Settings | { wrong: string } {
  const { keyId, secret } = credentials ?? {}
  const region = url.searchParams.get('region') ?? 'us-east-1'
  const endpoint = endpointOf(url.searchParams.get('endpoint') ?? `https://s3.${region}.amazonaws.com`)
  const path = url.pathname.slice(1)
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`
  const ca = url.searchParams.get('ca')
  const unknown = [...url.searchParams.keys()].find((name) => !KNOWN.includes(name))
  if (unknown !== undefined) return { wrong: `${unknown} means nothing here; ${KNOWN.join(', ')} do.` }
  if (url.username !== '' || url.password !== '')
    return { wrong: 'credentials do not belong into the address: name them in their own variables.' }
  if (!BUCKET.test(url.host)) return { wrong: 'the name of a bucket is expected behind s3://.' }
  if (!PREFIX.test(prefix)) return { wrong: 'a prefix has letters, digits and ._=- between slashes.' }
  if (!/^[a-z0-9-]{1,32}$/.test(region)) return { wrong: 'the region is a word like eu-central-1.' }
  if (endpoint === null)
    return { wrong: 'the endpoint is https://host or https://host:port; http:// goes to this machine only.' }
  if (ca !== null && !isAbsolute(ca)) return { wrong: 'ca is the absolute path of a PEM file.' }
  if (!keyId || !secret) return { wrong: 'the store wants a key id and a secret: name both.' }
  const rest = ca === null ? {} : { caFile: ca }
  return { kind: 's3', endpoint, region, bucket: url.host, prefix, credentials: { keyId, secret }, ...rest }
}

function endpointOf(text: string): string | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  const isOrigin = url.href === `${url.origin}/` && url.username === ''
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  return isOrigin && (url.protocol === 'https:' || (url.protocol === 'http:' && isHere)) ? url.origin : null
}
