/** What the pages read, by key; and which facts make what was read old. */
import type { FactType } from '@careloop/contract'
import { type Query, QueryClient, queryOptions } from '@tanstack/react-query'
import { serverNow, startOfAge } from '../app/clock.ts'
import { ApiError, call } from './client.ts'
import { endpoints } from './endpoints.ts'
import type { LiveEvent } from './live.ts'

/** What a chart shows: so many hours back from now, or a span that somebody zoomed to, ms. */
export type ChartSpan = { readonly hours: number } | { readonly from: number; readonly to: number }

export const queries = {
  place: queryOptions({
    queryKey: ['place'],
    queryFn: ({ signal }) => call(endpoints.place, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  }),
  me: queryOptions({
    queryKey: ['me'],
    queryFn: ({ signal }) => call(endpoints.me, { signal }),
    staleTime: 5 * 60_000,
  }),
  worklist: queryOptions({
    queryKey: ['worklist'],
    queryFn: ({ signal }) => call(endpoints.worklist, { signal }),
  }),
  careTeams: queryOptions({
    queryKey: ['care-teams'],
    queryFn: ({ signal }) => call(endpoints.careTeams, { signal }),
    staleTime: 5 * 60_000,
  }),
  task: (id: string) =>
    queryOptions({
      queryKey: ['task', id],
      queryFn: ({ signal }) => call(endpoints.task, { params: { id }, signal }),
    }),
  explain: (alert: string) =>
    queryOptions({
      queryKey: ['explain', alert],
      queryFn: ({ signal }) => call(endpoints.explain, { params: { id: alert }, signal }),
    }),
  taskNotifications: (task: string) =>
    queryOptions({
      queryKey: ['notifications', 'task', task],
      queryFn: ({ signal }) => call(endpoints.taskNotifications, { params: { id: task }, signal }),
    }),
  /** What oneself was told. Facts make it old; it is read again each minute as well, since what repeats is no fact. */
  notifications: queryOptions({
    queryKey: ['notifications', 'mine'],
    queryFn: ({ signal }) => call(endpoints.notifications, { signal }),
    refetchInterval: 60_000,
  }),
  colleagues: queryOptions({
    queryKey: ['colleagues'],
    queryFn: ({ signal }) => call(endpoints.colleagues, { signal }),
    staleTime: 5 * 60_000,
  }),
  /** What stands for a subject now: rules with its own limits in force. */
  subjectRules: (subject: string) =>
    queryOptions({
      queryKey: ['subject', 'rules', subject],
      queryFn: ({ signal }) => call(endpoints.subjectRules, { params: { id: subject }, signal }),
    }),
  subject: (id: string) =>
    queryOptions({
      queryKey: ['subject', id],
      queryFn: ({ signal }) => call(endpoints.subject, { params: { id }, signal }),
    }),
  /** Names of many at once; in a body, since names and who is asked for stand in no URL. @param ids at most 500 */
  subjectNames: (ids: readonly string[]) =>
    queryOptions({
      queryKey: ['subject', 'names', ids],
      queryFn: async ({ signal }) => {
        const found = await call(endpoints.subjectsByIds, { body: { ids: [...ids], limit: 500 }, signal })
        return new Map(found.items.map((each) => [each.id, each.display]))
      },
    }),
  /** Readings are no facts: what a person looks at is read again every 5 s, and grows old from when it was asked. */
  latest: (subject: string) =>
    queryOptions({
      queryKey: ['series', subject, 'latest'],
      queryFn: async ({ signal }) => {
        const askedAt = startOfAge()
        return { ...(await call(endpoints.latest, { params: { id: subject }, signal })), askedAt }
      },
      refetchInterval: 5_000,
    }),
  series: (subject: string, signalCode: string, span: ChartSpan) =>
    queryOptions({
      queryKey: ['series', subject, signalCode, span],
      queryFn: async ({ signal }) => {
        const now = Math.round(serverNow())
        const { from, to } = 'hours' in span ? { from: now - span.hours * 3_600_000, to: now } : span
        const query = { signal: signalCode, from, to, maxPoints: 600 }
        return { ...(await call(endpoints.series, { params: { id: subject }, query, signal })), from, to }
      },
      // A span in the past gets no new readings, but late ones and corrections: facts tell of those that matter.
      refetchInterval: 'hours' in span ? (span.hours <= 24 ? 10_000 : 60_000) : 60_000,
    }),
  devices: queryOptions({
    queryKey: ['devices'],
    queryFn: ({ signal }) => call(endpoints.devices, { query: { limit: 500 }, signal }),
  }),
  quarantine: (status: string, reason: string | undefined) =>
    queryOptions({
      queryKey: ['quarantine', status, reason ?? 'all'],
      queryFn: ({ signal }) => call(endpoints.quarantine, { query: { status, reason, limit: 200 }, signal }),
    }),
  quarantineCounts: queryOptions({
    queryKey: ['quarantine', 'counts'],
    queryFn: ({ signal }) => call(endpoints.quarantineCounts, { signal }),
  }),
  quarantineBytes: (id: string) =>
    queryOptions({
      queryKey: ['quarantine-bytes', id],
      queryFn: ({ signal }) => call(endpoints.quarantineBytes, { params: { id }, signal }),
      staleTime: Number.POSITIVE_INFINITY,
    }),
}

const ofPatients = [
  ...['subject', 'subjects', 'worklist', 'task', 'explain', 'series', 'alerts', 'enrolments', 'rules', 'devices'],
  'notifications',
] as const

/** First words of the keys that a fact makes old. */
const madeOldBy: Readonly<Partial<Record<FactType, readonly string[]>>> = {
  AccessChanged: ['sessions'],
  SubjectChanged: ['subject', 'worklist', 'board'],
  SubjectErased: ['subject', 'worklist', 'board', 'erasure'],
  ErasureProposed: ['erasure'],
  ErasureDecided: ['erasure'],
  LegalHoldChanged: ['erasure'],
  // Patients came into sight or went out of it: whatever shows one is read again.
  CareTeamChanged: ['care-teams', ...ofPatients],
  SightChanged: ofPatients,
  ConsentChanged: ['consents', 'notifications'],
  EnrolmentChanged: ['subject', 'enrolments', 'rules', 'programs', 'board'],
  DeviceEnrolled: ['devices'],
  DeviceChanged: ['devices', 'board'],
  AssignmentChanged: ['devices', 'series', 'board'],
  FrameQuarantined: ['quarantine'],
  QuarantineReplayed: ['quarantine'],
  SeriesMoved: ['series'],
  GapChanged: ['series', 'board'],
  RuleActivated: ['programs', 'rules', 'board'],
  TaskOpened: ['worklist', 'board', 'notifications'],
  TaskChanged: ['worklist', 'board', 'task', 'explain', 'notifications'],
  TaskHandedOff: ['worklist', 'board', 'task', 'notifications'],
  Notified: ['notifications'],
  DeliveryFailed: ['notifications'],
  ReviewOpened: ['reviews', 'notifications'],
  ReviewChanged: ['reviews'],
  DisplayChanged: ['displays'],
}

/** Whatever happens to an alert shows in the list, in its task and in what explains it. */
const keysMadeOldBy = (type: FactType): readonly string[] =>
  type.startsWith('Alert')
    ? ['worklist', 'explain', 'task', 'notifications', 'alerts', 'board']
    : (madeOldBy[type] ?? [])

/** The first fact is shown at once; what follows closely (a storm of alerts) is read again together, not a hundred times. */
const gatherMs = 100
/** What an alert tells is told again by its task a moment later: it waits for that. */
const lazyMs = 400
/** A page that is being read may have been answered before the fact: it is read once more when it is there. */
const stillReadingMs = 30

/** Takes live events and marks what they made old; what is on screen is read again at once, and never given up half read. */
export function makeRefresher(client: QueryClient): (event: LiveEvent) => void {
  const old = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let refreshedAt = Number.NEGATIVE_INFINITY
  const refreshBy = (at: number) => {
    if (at >= dueAt) return
    clearTimeout(timer)
    dueAt = at
    timer = setTimeout(refresh, Math.max(0, at - performance.now()))
  }
  const refresh = () => {
    dueAt = Number.POSITIVE_INFINITY
    refreshedAt = performance.now()
    const keys = new Set(old)
    old.clear()
    const isOld = ({ queryKey }: Query) => keys.has('*') || keys.has(String(queryKey[0]))
    const reading = client.getQueryCache().findAll({ predicate: isOld, fetchStatus: 'fetching' })
    for (const { queryKey } of reading) old.add(String(queryKey[0]))
    const predicate = (query: Query) => isOld(query) && query.state.fetchStatus !== 'fetching'
    void client.invalidateQueries({ predicate }, { cancelRefetch: false })
    if (old.size > 0) refreshBy(performance.now() + stillReadingMs)
  }
  return (event) => {
    const isAlert = event.type.startsWith('Alert')
    for (const key of event.type === 'everything' ? ['*'] : keysMadeOldBy(event.type)) old.add(key)
    if (old.size === 0) return
    // Facts of one event of the stream come in one task: the shortest wait gathers them.
    const now = performance.now()
    refreshBy(isAlert ? now + lazyMs : Math.max(now, refreshedAt + gatherMs))
  }
}

/** A refusal will be the same again; only silence and the server's own faults are worth another try. */
const isWorthRetrying = (error: Error): boolean =>
  !(error instanceof ApiError) || error.status === 0 || error.status >= 500

export const makeQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (failures, error) => failures < 2 && isWorthRetrying(error),
        // Whether the network is there is for the live channel to say: the browser does not know about this server.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  })
