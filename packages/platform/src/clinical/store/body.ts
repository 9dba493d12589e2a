/**
 * A resource at rest: what consent and lists must know of it, then its FHIR JSON, deflated where that pays, sealed as one.
 * Plain bytes before sealing: 1 byte format (1 = text as it is, 2 = text by raw deflate), 2 bytes length of the head, head (JSON),
 * text. The additional data names tenant, resource, version and field: a body moved to another row or version does not open.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { DataKey } from '../../engine/index.ts'

export interface Body {
  readonly id: string
  readonly signals?: readonly string[]
  readonly program?: string
  /** Empty when deleted. */
  readonly text: string
}

/** Which version the bytes are of. */
export interface Place {
  readonly tenant: string
  readonly rid: string
  readonly version: number
}

const asIs = 1
const deflated = 2
/** Shorter texts gain nothing worth their time. */
const worthDeflating = 512

/** What is short needs no window of 32 KiB: the state is an eighth, and it is made anew for each. Either is read without being told. */
const settingsFor = (length: number) => (length <= 4_096 ? { level: 3, windowBits: 12, memLevel: 5 } : { level: 3 })

const aadOf = ({ tenant, rid, version }: Place): string => `clinical-resource:${tenant}:${rid}:${version}:body`

export function sealBody(key: DataKey, place: Place, { id, signals, program, text }: Body): Buffer {
  const head = Buffer.from(JSON.stringify({ i: id, s: signals, p: program }))
  const plain = Buffer.from(text)
  const packed = plain.length < worthDeflating ? plain : deflateRawSync(plain, settingsFor(plain.length))
  const isPacked = packed !== plain && packed.length < plain.length
  const start = Buffer.alloc(3)
  start[0] = isPacked ? deflated : asIs
  start.writeUInt16BE(head.length, 1)
  return key.seal(Buffer.concat([start, head, isPacked ? packed : plain]), aadOf(place))
}

/** @throws Failure `seal-broken` */
export function openBody(key: DataKey, place: Place, sealed: Uint8Array): Body {
  const plain = key.open(sealed, aadOf(place))
  const headEnd = 3 + plain.readUInt16BE(1)
  const { i, s, p } = JSON.parse(plain.toString('utf8', 3, headEnd)) as { i: string; s?: string[]; p?: string }
  const rest = plain.subarray(headEnd)
  const text = (plain[0] === deflated ? inflateRawSync(rest) : rest).toString('utf8')
  return { id: i, text, ...(s === undefined ? {} : { signals: s }), ...(p === undefined ? {} : { program: p }) }
}
