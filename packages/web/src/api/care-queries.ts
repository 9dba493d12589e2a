/** What the pages of subjects, programs, the board and devices read. First words of the keys are those of `makeRefresher`. */
import type { DeviceView, SubjectKind, SubjectSummary } from '@careloop/contract'
import { queryOptions } from '@tanstack/react-query'
import { serverNow } from '../app/clock.ts'
import { call } from './client.ts'
import { endpoints } from './endpoints.ts'

const dayMs = 86_400_000

export const careQueries = {
  colleagues: queryOptions({
    queryKey: ['colleagues'],
    queryFn: ({ signal }) => call(endpoints.colleagues, { signal }),
    staleTime: 60_000,
  }),
  sites: queryOptions({
    queryKey: ['sites'],
    queryFn: ({ signal }) => call(endpoints.sites, { signal }),
    staleTime: 60_000,
  }),
  subjects: (kind: SubjectKind | undefined) =>
    queryOptions({
      queryKey: ['subject', 'list', kind ?? 'all'],
      queryFn: ({ signal }) => allSubjects(kind, signal),
    }),
  /** @param text stands in a body, never in a URL; the key stays in this page's memory */
  found: (text: string, kind: SubjectKind | undefined) =>
    queryOptions({
      queryKey: ['subject', 'found', text, kind ?? 'all'],
      queryFn: ({ signal }) =>
        call(endpoints.findSubjects, { body: { text, limit: 100, ...(kind === undefined ? {} : { kind }) }, signal }),
      gcTime: 30_000,
    }),
  enrolments: (subject: string) =>
    queryOptions({
      queryKey: ['enrolments', subject],
      queryFn: ({ signal }) => call(endpoints.enrolments, { params: { id: subject }, signal }),
    }),
  rules: (subject: string) =>
    queryOptions({
      queryKey: ['rules', subject],
      queryFn: ({ signal }) => call(endpoints.subjectRules, { params: { id: subject }, signal }),
    }),
  /** Alerts of the last `hours`, and those that are still open. */
  alerts: (subject: string, hours: number) =>
    queryOptions({
      queryKey: ['alerts', subject, hours],
      queryFn: ({ signal }) => {
        const to = Math.round(serverNow())
        return call(endpoints.subjectAlerts, {
          params: { id: subject },
          query: { from: to - hours * 3_600_000, to },
          signal,
        })
      },
    }),
  activities: (subject: string, days: number) =>
    queryOptions({
      queryKey: ['activities', subject, days],
      queryFn: ({ signal }) => {
        const to = Math.round(serverNow())
        return call(endpoints.activities, { params: { id: subject }, query: { from: to - days * dayMs, to }, signal })
      },
    }),
  /** @param zone of the subject: its civil days are counted */
  days: (subject: string, days: number, zone: string) =>
    queryOptions({
      queryKey: ['series', subject, 'days', days],
      queryFn: ({ signal }) => {
        const to = serverNow()
        const dateOf = (at: number) => new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(at)
        const query = { from: dateOf(to - (days - 1) * dayMs), to: dateOf(to) }
        return call(endpoints.days, { params: { id: subject }, query, signal })
      },
      staleTime: 60_000,
    }),
  programs: queryOptions({
    queryKey: ['programs'],
    queryFn: ({ signal }) => call(endpoints.programs, { signal }),
  }),
  /** Temperatures are no facts: the board is read again every 5 s. */
  board: queryOptions({
    queryKey: ['board'],
    queryFn: ({ signal }) => call(endpoints.board, { signal }),
    refetchInterval: 5_000,
  }),
  allDevices: queryOptions({
    queryKey: ['devices', 'all'],
    queryFn: ({ signal }) => allDevices({}, signal),
    refetchInterval: 15_000,
  }),
  devicesOf: (subject: string) =>
    queryOptions({
      queryKey: ['devices', 'of', subject],
      queryFn: ({ signal }) => allDevices({ subject }, signal),
    }),
  heard: (device?: string) =>
    queryOptions({
      queryKey: ['devices', 'heard', device ?? 'all'],
      queryFn: async ({ signal }) => {
        const { items } = await call(endpoints.heard, { query: { device }, signal })
        return new Map(items.map((each) => [each.device, each.measuredAt]))
      },
      refetchInterval: device === undefined ? 15_000 : 1_500,
    }),
  /** @param isWatched somebody waits for its first message: read again within 2 s */
  device: (id: string, isWatched = false) =>
    queryOptions({
      queryKey: ['devices', 'one', id],
      queryFn: ({ signal }) => call(endpoints.device, { params: { id }, signal }),
      refetchInterval: isWatched ? 1_500 : 15_000,
    }),
  claimCodes: (device: string) =>
    queryOptions({
      queryKey: ['devices', 'claim-codes', device],
      queryFn: ({ signal }) => call(endpoints.claimCodes, { params: { id: device }, signal }),
    }),
  credentials: (device: string) =>
    queryOptions({
      queryKey: ['devices', 'credentials', device],
      queryFn: ({ signal }) => call(endpoints.credentials, { params: { id: device }, signal }),
    }),
  assignments: (device: string) =>
    queryOptions({
      queryKey: ['devices', 'assignments', device],
      queryFn: ({ signal }) => call(endpoints.assignments, { params: { id: device }, signal }),
    }),
  quarantineOf: (device: string, isWatched: boolean) =>
    queryOptions({
      queryKey: ['quarantine', 'of', device],
      queryFn: ({ signal }) => call(endpoints.quarantine, { query: { device, status: 'held', limit: 20 }, signal }),
      refetchInterval: isWatched ? 1_500 : 15_000,
    }),
  gateways: queryOptions({
    queryKey: ['gateways'],
    queryFn: ({ signal }) => call(endpoints.gateways, { signal }),
    staleTime: 60_000,
  }),
  doors: queryOptions({
    queryKey: ['doors'],
    queryFn: ({ signal }) => call(endpoints.doors, { signal }),
    staleTime: 5 * 60_000,
  }),
  profiles: queryOptions({
    queryKey: ['profiles'],
    queryFn: ({ signal }) => call(endpoints.profiles, { signal }),
    staleTime: 5 * 60_000,
  }),
}

/** A list that is longer than this is said to be cut. */
export const mostListed = 5_000

/** @returns the first `mostListed`, and whether there are more */
async function allDevices(query: { subject?: string }, signal: AbortSignal) {
  return pages<DeviceView>((after) => call(endpoints.devices, { query: { ...query, after, limit: 500 }, signal }))
}

const allSubjects = (kind: SubjectKind | undefined, signal: AbortSignal) =>
  pages<SubjectSummary>((after) => call(endpoints.subjects, { query: { kind, after, limit: 500 }, signal }))

async function pages<T>(
  read: (after: string | undefined) => Promise<{ items: T[]; next: string | null }>,
): Promise<{ readonly items: readonly T[]; readonly isCut: boolean }> {
  const items: T[] = []
  let after: string | undefined
  do {
    const page = await read(after)
    items.push(...page.items)
    after = page.next ?? undefined
  } while (after !== undefined && items.length < mostListed)
  return { items, isCut: after !== undefined }
}
