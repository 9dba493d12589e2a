/** What an S3 store says in XML, as far as we ask. */
import { engineFailure } from '../errors.ts'
import type { StoredObject } from './object-store.ts'

export interface Listing {
  readonly objects: readonly StoredObject[]
  /** Where the next page begins; undefined at the end. */
  readonly next: string | undefined
}

export function parseListing(body: Buffer): Listing {
  const xml = body.toString('utf8')
  if (!xml.includes('<ListBucketResult'))
    throw engineFailure('object-store-refused', 'The object store answered a listing with something else. Is it S3?')
  const objects = [...xml.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)].map(([, each = '']) => ({
    key: element(each, 'Key') ?? '',
    bytes: Number(element(each, 'Size')),
    modifiedAt: Date.parse(element(each, 'LastModified') ?? ''),
  }))
  const isCut = element(xml, 'IsTruncated') === 'true'
  return { objects, next: isCut ? element(xml, 'NextContinuationToken') : undefined }
}

/** The store's word for what went wrong, `NoSuchKey`; empty when it says none. */
export function parseS3Code(body: Buffer): string {
  const code = element(body.subarray(0, 4_096).toString('utf8'), 'Code') ?? ''
  return /^[A-Za-z0-9]{1,64}$/.test(code) ? code : ''
}

function element(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
  return text?.replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => ENTITIES[entity] ?? '')
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }
