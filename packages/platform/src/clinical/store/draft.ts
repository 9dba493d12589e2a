/** A version that is to be: its text, its span, what it is found by; sealed once its number is known. */
import { clinicalSpan, type FhirTree, type Resource, toResource, withMeta, writeFhir } from '@careloop/fhir'
import type { DataKey } from '../../engine/index.ts'
import type { ResourceRow } from '../schema.ts'
import type { Stored } from '../stored.ts'
import type { Blind } from './blind.ts'
import { type Body, sealBody } from './body.ts'
import type { NewRow } from './write-rows.ts'

/** Texts by which a resource is found. @see @careloop/fhir `keysOf` */
export type IndexKeys = (resource: Resource) => readonly string[]

export interface Draft {
  readonly type: string
  readonly id: string
  readonly rid: string
  readonly tree: FhirTree
  /** The same with plain numbers, where the caller has it. */
  readonly resource?: Resource
  readonly subject: string | null
  readonly signals?: readonly string[] | undefined
  readonly program?: string | undefined
  readonly isDerived: boolean
  /** meta.lastUpdated, ms. */
  readonly updatedAt: number
}

export const instantOf = (ms: number): string => new Date(ms).toISOString()

/** The text of a version, as it is served. */
export const textOf = ({ tree, id }: Pick<Draft, 'tree' | 'id'>, version: number, updatedAt: number): string =>
  writeFhir(withMeta(tree, { id, versionId: String(version), lastUpdated: instantOf(updatedAt) }))

/** First and last ms that a date can be: what has no beginning began then. */
const endMs = 8.64e15

export interface Sealing {
  readonly tenant: string
  readonly key: DataKey
  readonly blind: Blind
  readonly keysOf: IndexKeys
}

/** @param before what it replaces */
export function rowOf(draft: Draft, sealing: Sealing, before?: ResourceRow): { row: NewRow; stored: Stored } {
  const { type, id, rid, subject, signals, program, isDerived, updatedAt } = draft
  const { tenant, key, blind } = sealing
  const version = before === undefined ? 1 : before.version + 1
  const text = textOf(draft, version, updatedAt)
  const resource = draft.resource ?? toResource(draft.tree)
  const span = clinicalSpan(resource)
  const body: Body = {
    ...{ id, text },
    ...(signals === undefined || signals.length === 0 ? {} : { signals }),
    ...(program === undefined ? {} : { program }),
  }
  const keys = [...new Set(sealing.keysOf({ ...resource, id }).map((each) => blind.key(each)))]
  const [from, to] = span === null ? [null, null] : [Math.max(span.from, -endMs), span.to > endMs ? null : span.to]
  const at = from ?? (before === undefined ? updatedAt : Number(before.at))
  const row: NewRow = {
    ...{ rid, type, version, subject, at, from, to, updatedAt },
    ...{ keyId: key.id, body: sealBody(key, { tenant, rid, version }, body), keys, isDerived, deletedAt: null },
  }
  return { row, stored: { type, rid, version, updatedAt, subject, isDeleted: false, isDerived, ...body } }
}

/** The version that says that it is gone: found by nothing. */
export function goneOf(
  before: ResourceRow,
  { id, tenant, key, at }: { id: string; tenant: string; key: DataKey; at: number },
): { row: NewRow; stored: Stored } {
  const { rid, type, subject_id: subject, is_derived: isDerived } = before
  const version = before.version + 1
  const body = { id, text: '' }
  const row: NewRow = {
    ...{ rid, type, version, subject, at: Number(before.at), from: null, to: null, updatedAt: at, keyId: key.id },
    ...{ body: sealBody(key, { tenant, rid, version }, body), keys: [], isDerived, deletedAt: at },
  }
  return { row, stored: { type, rid, version, updatedAt: at, subject, isDeleted: true, isDerived, ...body } }
}
