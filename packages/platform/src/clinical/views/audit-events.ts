/**
 * AuditEvent, served from the trail itself: no copy of it is kept that could differ. Who may read the trail reads it, newest first; each
 * reading stands in it.
 */
import { matches, type Pair, parseSearch, type Search } from '@careloop/fhir'
import {
  type AuditEvent,
  type RecordedEntry,
  readTrail,
  record,
  type TrailQuery,
  toAuditEvent,
} from '../../audit/index.ts'
import type { TenantTx } from '../../engine/index.ts'
import { placesOf } from '../../subjects/index.ts'
import { clinicalFailure } from '../errors.ts'
import type { FhirRoom } from '../rest/fhir-room.ts'
import type { FhirAnswer, FhirRequest } from '../rest/request.ts'
import { type Granted, grantFor, isWithin } from '../rights.ts'
import { openPage, sealPage } from '../search/page-token.ts'
import { searchsetOf } from '../search/searchset.ts'
import { patientIdOf } from '../store/open-all.ts'
import { notFound } from '../store/read.ts'
import { subjectsBehind } from '../store/references.ts'
import type { Stored } from '../stored.ts'
import { subjectReference } from './view.ts'
import { practitioner } from './words.ts'

const type = 'AuditEvent'
/** Entries looked at for one page: then it is answered with what was found, and where to go on. */
const maxWalked = 5_000
/** Each subject of an entry is looked up: the first window holds what a page needs, later ones more. */
const walkedAtOnce = { first: 20, most: 500 }

/** @param patient whose compartment is searched */
export async function auditAnswer(room: FhirRoom, request: FhirRequest, patient?: string): Promise<FhirAnswer> {
  const [, id, more, version] = request.path
  const isOne = more === undefined || (more === '_history' && version === '1')
  const isSearch = patient !== undefined || id === undefined || id === '_search'
  if (!isSearch && request.method === 'GET' && isOne) return readOne(room, request, id)
  if (isSearch && (request.method === 'GET' || request.path.at(-1) === '_search'))
    return search(room, request, patient === undefined ? [] : [['patient', `Patient/${patient}`]])
  throw clinicalFailure('interaction-not-served', 'The trail is written by this server alone; it is read and searched.')
}

async function readOne(room: FhirRoom, { by }: FhirRequest, id: string): Promise<FhirAnswer> {
  const granted = grantFor(by, type, 'r')
  if (!/^\d{1,18}$/.test(id)) throw notFound()
  return room.ground.engine.db.asTenant(by.tenant, async (tx) => {
    const [entry] = await readTrail(tx, { before: String(BigInt(id) + 1n), limit: 1 })
    const [stored] = entry?.id === id ? await eventsOf(tx, room, [entry]) : []
    if (stored === undefined || !isWithin(granted.filters, stored)) throw notFound()
    await recordLook(tx, granted, 'read', stored.subject)
    return { status: 200, stored, body: stored }
  })
}

async function search(room: FhirRoom, request: FhirRequest, within: readonly Pair[]): Promise<FhirAnswer> {
  const { engine } = room.ground
  const { by, base, isStrict } = request
  const granted = grantFor(by, type, 's')
  const token = request.query.find(([name]) => name === '_page')?.[1]
  const page = token === undefined ? null : await openPage(engine, by, token)
  const pairs = page?.pairs ?? [...request.query, ...within]
  const parsed = parseSearch(type, pairs, { now: engine.clock.now(), isStrict, base })
  return engine.db.asTenant(by.tenant, async (tx) => {
    const query = await queryOf(room, tx, parsed)
    const after = typeof page?.after === 'string' ? page.after : undefined
    const found =
      query === null || parsed.count === 0
        ? { events: [], end: null }
        : await walk(room, tx, { granted, parsed, query, after, base })
    await recordLook(tx, granted, 'search', query?.subject ?? null)
    const next = found.end === null ? null : await sealPage(engine, by, { type, pairs, after: found.end })
    const set = searchsetOf({
      ...{ base, path: type, applied: parsed.applied, included: [], issues: [], total: null, next, shape: parsed },
      matches: found.events.map((stored) => ({ stored })),
    })
    return { status: 200, body: { tree: set } }
  })
}

interface Walking {
  readonly granted: Granted
  readonly parsed: Search
  readonly query: TrailQuery
  readonly after: string | undefined
  readonly base: string
}

/** Newest first, until there are enough, or enough were looked at. */
async function walk(room: FhirRoom, tx: TenantTx, { granted, parsed, query, after, base }: Walking) {
  const events: Stored[] = []
  let before = after
  for (let walked = 0, limit = Math.max(walkedAtOnce.first, parsed.count); walked < maxWalked; limit *= 4) {
    limit = Math.min(limit, walkedAtOnce.most)
    const entries = await readTrail(tx, { ...query, before, limit })
    for (const event of await eventsOf(tx, room, entries)) {
      if (!isWithin(granted.filters, event) || !matches(JSON.parse(event.text), parsed.clauses, { base })) continue
      events.push(event)
      before = event.id
      if (events.length >= parsed.count) return { events, end: before }
    }
    if (entries.length < limit) return { events, end: null }
    before = entries.at(-1)!.id
    walked += entries.length
  }
  return { events, end: before ?? null }
}

/** Entries as resources, in their order; whose they are by the FHIR ids of others. */
async function eventsOf(
  tx: TenantTx,
  { ground }: Pick<FhirRoom, 'ground'>,
  entries: readonly RecordedEntry[],
): Promise<Stored[]> {
  const subjects = [...new Set(entries.flatMap(({ subject }) => subject ?? []))]
  const references = new Map<string, string>()
  const clinical = { patientIdOf: (within: TenantTx, subject: string) => patientIdOf(ground, within, subject) }
  for (const place of (await placesOf(tx, subjects)).values())
    references.set(place.id, (await subjectReference(clinical, tx, place)).reference)
  return entries.map((entry) => {
    const { id, at, subject } = entry
    const lastUpdated = new Date(at).toISOString()
    const event = pointing(toAuditEvent({ ...entry, tenant: tx.tenant }), entry, references)
    const text = JSON.stringify({ ...event, meta: { versionId: '1', lastUpdated } })
    return { type, id, rid: id, version: 1, updatedAt: at, subject, isDeleted: false, isDerived: true, text }
  })
}

/** A trail that is exported names who did it by our ids alone; here they are resources beside it. */
function pointing(event: AuditEvent, { actor, subject }: RecordedEntry, references: ReadonlyMap<string, string>) {
  const [user, ...others] = event.agent
  const who = actor.startsWith('staff:') ? { ...user!.who, ...practitioner(actor.slice('staff:'.length)) } : user!.who
  const whose = subject === null ? undefined : references.get(subject)
  const entity = event.entity.map((each) =>
    each.what.reference === undefined || whose === undefined ? each : { ...each, what: { reference: whose } },
  )
  return { ...event, agent: [{ ...user!, who }, ...others], entity }
}

/** What of the search the trail has indexes for; `matches` decides. Null: it asks for somebody who is not here. */
async function queryOf({ ground }: FhirRoom, tx: TenantTx, { clauses }: Search): Promise<TrailQuery | null> {
  const query: { subject?: string; actor?: string; from?: number; to?: number } = {}
  for (const clause of clauses) {
    if (clause.kind !== 'parameter' || clause.modifier !== undefined || clause.values.length !== 1) continue
    const [value] = clause.values
    if (value!.kind === 'date') {
      if (['eq', 'ge', 'gt', 'sa'].includes(value!.prefix)) query.from = Math.max(query.from ?? 0, value!.from)
      if (['eq', 'le', 'lt', 'eb'].includes(value!.prefix) && Number.isFinite(value!.to))
        query.to = Math.min(query.to ?? Number.MAX_SAFE_INTEGER, value!.to)
    }
    if (value!.kind !== 'reference') continue
    const { types, id } = value!
    if (clause.parameter.code === 'agent' && types.length === 1 && actors[types[0]!] !== undefined)
      query.actor = `${actors[types[0]!]}:${id}`
    if (!['entity', 'patient'].includes(clause.parameter.code)) continue
    const targets = types.map((each) => ({ type: each, id })).filter((each) => each.type in kinds)
    const subject = [...(await subjectsBehind(ground, tx, targets)).values()].find((each) => each !== null)
    if (subject === undefined || subject === null) return null
    query.subject = subject
  }
  return query
}

const actors: Readonly<Record<string, string>> = { Practitioner: 'staff', Device: 'device' }
const kinds = { Patient: true, Location: true, Device: true }

const recordLook = (tx: TenantTx, { by }: Granted, action: 'read' | 'search', subject: string | null): Promise<void> =>
  record(tx, {
    ...{ actor: by.actor, requestId: by.requestId, action, resource: 'audit', purpose: 'HOPERAT' },
    ...(subject === null ? {} : { subject }),
  })
