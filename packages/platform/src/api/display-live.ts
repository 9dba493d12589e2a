/**
 * What changes on the board of a wall screen, as it changes: an empty `changed`, after which the screen reads its board again. A
 * screen that is revoked hears nothing more: its stream ends with the fact that tells of it, in whichever process it runs.
 */
import type { Fact, FactType } from '@careloop/contract'
import type { DisplayPrincipal, Route } from '../identity/index.ts'
import { defineRoute } from '../identity/index.ts'
import { aboutOf } from './about.ts'
import type { LiveHub } from './live-hub.ts'
import type { ApiParts } from './parts.ts'

const ofBoard: ReadonlySet<FactType> = new Set<FactType>([
  ...([
    'AlertRaised',
    'AlertRecurred',
    'AlertCleared',
    'AlertEvidenceChanged',
    'AlertClosed',
    'AlertReopened',
  ] as const),
  ...([
    'TaskOpened',
    'TaskChanged',
    'EnrolmentChanged',
    'RuleActivated',
    'AssignmentChanged',
    'DeviceChanged',
  ] as const),
])
/** A notification may be lost with its connection: whether the screen still counts is asked this often besides, ms. */
export const lookEveryMs = 4_000
/** Something is written this often, so that a connection that died is noticed on both ends, ms. */
const beatMs = 12_000

export const displayLiveRoutes = (parts: ApiParts, hub: LiveHub): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/display/live',
    summary: 'That something changed on the board of the wall screen that asks (server-sent events, without content)',
    tag: 'display',
    policy: 'display',
    response: { 200: { stream: 'text/event-stream' } },
    handler(ctx) {
      const { cookie } = ctx.headers as { cookie?: string }
      const again = () => parts.identity.authenticateDisplay({ authorization: undefined, cookie }).catch(() => null)
      return ctx.stream(200, 'text/event-stream', tell(parts, hub, ctx.principal, again, ctx.signal), {
        headers: { 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
      })
    },
  }),
]

async function* tell(
  parts: ApiParts,
  hub: LiveHub,
  display: DisplayPrincipal,
  again: () => Promise<DisplayPrincipal | null>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let wake = new AbortController()
  const seat = hub.join(display.tenant, () => wake.abort())
  try {
    yield 'retry: 3000\nevent: ready\ndata: {}\n\n'
    let beatenAt = parts.engine.clock.now()
    while (!signal.aborted) {
      await parts.engine.clock.sleep(lookEveryMs, AbortSignal.any([signal, wake.signal]))
      wake = new AbortController()
      const facts = seat.take()
      if (signal.aborted || (await again())?.id !== display.id) return
      if (facts === null || (await hasBoardFact(parts, facts))) yield 'event: changed\ndata: {}\n\n'
      else if (parts.engine.clock.now() - beatenAt >= beatMs) yield ': still here\n\n'
      else continue
      beatenAt = parts.engine.clock.now()
    }
  } finally {
    seat.leave()
  }
}

/** That something happened to a patient is not for a wall, not even as a sign that it did. */
async function hasBoardFact(parts: ApiParts, facts: readonly Fact[]): Promise<boolean> {
  const ofBoards = facts.filter(({ type }) => ofBoard.has(type))
  if (ofBoards.length === 0) return false
  const about = await aboutOf(parts, ofBoards[0]!.tenant, ofBoards)
  return [...about.values()].some((subjects) => subjects === null || subjects.some(({ kind }) => kind !== 'patient'))
}
