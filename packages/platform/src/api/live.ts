/**
 * Live pages: facts as server-sent events. `Last-Event-ID` is a fact's position; what cannot be told without a hole is a
 * `reset`, after which the page reads again. Events carry opaque ids only.
 */
import type { Fact, FactType, Resource } from '@careloop/contract'
import { z } from 'zod'
import type { Engine } from '../engine/index.ts'
import { defineRoute, may, type PersonOrService, type Principal, type Route } from '../identity/index.ts'
import { sees, sightOf, withReach } from '../subjects/index.ts'
import { type About, aboutOf } from './about.ts'
import { heartbeatMs, type LiveHub } from './live-hub.ts'
import type { ApiParts } from './parts.ts'

/** What a fact tells of: who may not read that, does not hear of it. */
const tellsOf: Readonly<Record<FactType, Resource>> = {
  AccessChanged: 'live', // of oneself only
  SubjectChanged: 'subject',
  SubjectErased: 'subject',
  ErasureProposed: 'erasure',
  ErasureDecided: 'erasure',
  LegalHoldChanged: 'legal-hold',
  SiteChanged: 'site',
  CareTeamChanged: 'care-team',
  SightChanged: 'live',
  EnrolmentChanged: 'enrolment',
  ConsentChanged: 'consent',
  DeviceEnrolled: 'device',
  DeviceChanged: 'device',
  DeviceSettingsChanged: 'device',
  CredentialRevoked: 'credential',
  DeviceSuspicious: 'device',
  AssignmentChanged: 'assignment',
  FrameQuarantined: 'quarantine',
  QuarantineReplayed: 'quarantine',
  SeriesMoved: 'series',
  ClinicalChanged: 'reading',
  ReadingOutOfRange: 'reading',
  GapChanged: 'gap',
  RuleActivated: 'rule',
  AlertRaised: 'alert',
  AlertRecurred: 'alert',
  AlertCleared: 'alert',
  AlertEvidenceChanged: 'alert',
  AlertClosed: 'alert',
  AlertReopened: 'alert',
  RuleUnreachable: 'rule',
  TaskOpened: 'task',
  TaskChanged: 'task',
  TaskHandedOff: 'task',
  TaskOverdue: 'task',
  Notified: 'notification',
  DeliveryFailed: 'notification',
  SubscriptionFailed: 'system',
  ReviewOpened: 'review',
  ReviewChanged: 'review',
  BreakGlassOpened: 'review',
  BreakGlassMissed: 'review',
  DisplayChanged: 'display',
  UnusualAccessFound: 'audit',
  BreachChanged: 'breach',
}

/** Facts missed while away; more than this is a `reset`, which costs less than telling them. */
export const maxBacklog = 1_000

const position = z.string().regex(/^(0|\d{1,20}:\d{1,19})$/, 'Not a position. Use the id of the last event.')

export function liveRoutes(parts: ApiParts, hub: LiveHub): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/live',
      summary: 'What changes, as it changes (server-sent events)',
      description:
        'First `ready` (read the page now), then one event a fact: its type, its position as id, its opaque ids as data. ' +
        'Come back with Last-Event-ID; `reset` = something was missed, read the page again.',
      policy: { action: 'read', resource: 'live' },
      query: z.object({ after: position.optional() }),
      response: { 200: { stream: 'text/event-stream' } },
      handler(ctx) {
        const header = position.safeParse(ctx.headers['last-event-id'])
        const after = header.success ? header.data : ctx.query.after
        const { authorization, cookie } = ctx.headers as { authorization?: string; cookie?: string }
        const again = () => parts.identity.authenticate({ authorization, cookie }, parts.deviceByToken)
        const listener: Listener = {
          principal: ctx.principal,
          after,
          signal: ctx.signal,
          isStillGood: isSame(ctx.principal, again),
          parts,
        }
        return ctx.stream(200, 'text/event-stream', tell(parts.engine, hub, listener), {
          headers: { 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
        })
      },
    }),
  ]
}

interface Listener {
  /** With the reach of now: read again when a fact says that it may have changed. */
  principal: PersonOrService
  readonly after: string | undefined
  readonly signal: AbortSignal
  /** Asked at every heartbeat, and when a fact says that it may have changed: a stream does not outlive its session, its token or a role. */
  readonly isStillGood: () => Promise<boolean>
  readonly parts: ApiParts
}

/** What they are attached to, and when they last proved a second factor, may change while they look; who they are may not. */
function isSame(principal: PersonOrService, again: () => Promise<Principal | null>): () => Promise<boolean> {
  const who = (each: Principal | null) => JSON.stringify({ ...each, reach: undefined, provedAt: undefined })
  const before = who(principal)
  return async () => {
    try {
      return who(await again()) === before
    } catch {
      return false
    }
  }
}

async function* tell(engine: Engine, hub: LiveHub, listener: Listener): AsyncGenerator<string> {
  let ring: () => void = () => {}
  let rung = false
  const wake = () => {
    rung = true
    ring()
  }
  const seat = hub.join(listener.principal.tenant, wake)
  listener.signal.addEventListener('abort', wake)
  try {
    yield 'retry: 3000\nevent: ready\ndata: {}\n\n'
    const missed = await readMissed(engine, listener.after)
    if (missed === null) yield reset
    else yield await events(listener, missed)
    let last = missed?.at(-1)?.position ?? listener.after ?? '0'
    let checkedAt = engine.clock.now()
    while (!listener.signal.aborted) {
      if (!rung)
        await new Promise<void>((resolve) => {
          ring = resolve
        })
      rung = false
      if (listener.signal.aborted) return
      const taken = seat.take()
      const isBeat = engine.clock.now() - checkedAt >= heartbeatMs / 2
      // Facts that were lost for being too many may have told of their access.
      if (isBeat || taken === null || taken.some((fact) => isOfAccess(fact, listener.principal))) {
        if (!(await listener.isStillGood())) return
        // What was given for a while ends by itself, and nothing tells of it.
        listener.principal = await withReach(engine, listener.principal)
        checkedAt = engine.clock.now()
        if (isBeat) yield ': still here\n\n'
      }
      if (taken === null) yield reset
      const fresh = (taken ?? []).filter((fact) => comparePositions(fact.position, last) > 0)
      last = fresh.at(-1)?.position ?? last
      if (fresh.length > 0) yield await events(listener, fresh)
    }
  } finally {
    listener.signal.removeEventListener('abort', wake)
    seat.leave()
  }
}

const reset = 'event: reset\ndata: {}\n\n'

/** Facts since `after`; null when some of them are gone (retention) or too many to tell. */
async function readMissed(engine: Engine, after: string | undefined): Promise<Fact[] | null> {
  if (after === undefined) return []
  const [oldest] = await engine.db.readFacts('0', 1)
  if (after !== '0' && (oldest === undefined || comparePositions(oldest.position, after) > 0)) return null
  const missed = await engine.db.readFacts(after, maxBacklog + 1)
  return missed.length > maxBacklog ? null : [...missed]
}

async function events(listener: Listener, facts: readonly Fact[]): Promise<string> {
  // Before anything is told: what was taken away a moment ago is not told any more.
  if (facts.some((fact) => movesReach(fact, listener.principal)))
    listener.principal = await withReach(listener.parts.engine, listener.principal)
  const mine = facts.filter((fact) => fact.tenant === listener.principal.tenant)
  const about = await aboutOf(listener.parts, listener.principal.tenant, mine)
  const heard = mine.filter((fact) => mayHear(listener.principal, fact, about.get(fact)!))
  const heldBack = heard.length === 0 ? null : await listener.parts.heldBack?.(listener.principal, heard)
  return heard
    .filter((fact) => heldBack?.has(fact) !== true)
    .map(
      ({ position, type, body, at }) => `id: ${position}\nevent: ${type}\ndata: ${JSON.stringify({ ...body, at })}\n\n`,
    )
    .join('')
}

/** Whether their session, token or roles may be others after this, on whichever server that was done. */
const isOfAccess = (fact: Fact, principal: PersonOrService): boolean =>
  fact.type === 'AccessChanged' && (fact as Fact<'AccessChanged'>).body.principal === principal.id

/** Whether the patients to whom somebody is attached may be others after this. */
function movesReach(fact: Fact, principal: PersonOrService): boolean {
  if (fact.tenant !== principal.tenant) return false
  // A consent to all treatment, and a change of whose programs are our own, is of every program.
  if (fact.type === 'SightChanged')
    return principal.kind === 'service' || (fact as Fact<'SightChanged'>).body.user === principal.id
  return fact.type === 'CareTeamChanged' || fact.type === 'EnrolmentChanged' || fact.type === 'SubjectChanged'
}

/** What somebody may read of one subject and not of another, they hear of the one and not of the other. */
function mayHear(principal: PersonOrService, fact: Fact, about: About): boolean {
  const resource = tellsOf[fact.type]
  if (!may(principal, 'read', resource) || isAnothers(fact, principal)) return false
  if (about === null) return true
  const sight = sightOf(principal, 'read', resource)
  return about.some((subject) => sees(sight, subject))
}

/** Who was told, and what one person may see, is their own concern; everybody else's page has nothing to refresh. */
function isAnothers(fact: Fact, principal: PersonOrService): boolean {
  if (fact.type === 'SightChanged') return (fact as Fact<'SightChanged'>).body.user !== principal.id
  if (fact.type === 'AccessChanged') return !isOfAccess(fact, principal)
  return (
    fact.type === 'Notified' && principal.kind === 'staff' && (fact as Fact<'Notified'>).body.recipient !== principal.id
  )
}

/** Positions are `<xid>:<id>`, compared as two numbers. */
export function comparePositions(a: string, b: string): number {
  const [ax, ai] = parts(a)
  const [bx, bi] = parts(b)
  if (ax !== bx) return ax < bx ? -1 : 1
  return ai === bi ? 0 : ai < bi ? -1 : 1
}

function parts(text: string): [bigint, bigint] {
  const [xid, id] = text.split(':')
  return [BigInt(xid || '0'), BigInt(id ?? '0')]
}
