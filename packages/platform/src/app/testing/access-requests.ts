/** What each route is asked: of routes about one subject a body that is good in form, and changes nothing where it is let in. */
import { randomUUID } from 'node:crypto'
import type { Route } from '../../identity/index.ts'
import { aPatient } from '../../subjects/fixtures.ts'
import type { Target } from './access-world.ts'

/** The key of Target that `:id` of a route stands for, and what is sent besides. */
interface Asked {
  readonly id?: Exclude<keyof Target, 'now'>
  readonly query?: string
  readonly body?: (target: Target) => unknown
}

const span = 'from=0&to=4000000000000'
const seen = 'version=999'
const instant = 1_700_000_000_000

/** Routes about one subject, or about what is of one. All others are asked once, with ids of nowhere and an empty body. */
export const aboutOne: Readonly<Record<string, Asked>> = {
  'GET /api/v1/subjects/:id': { id: 'subject' },
  'PUT /api/v1/subjects/:id': { id: 'subject', body: () => ({ ...aPatient(), version: 999 }) },
  'GET /api/v1/subjects/:id/series': { id: 'subject', query: span },
  'GET /api/v1/subjects/:id/latest': { id: 'subject' },
  'GET /api/v1/subjects/:id/days': { id: 'subject', query: 'from=2026-01-01&to=2026-01-31' },
  'GET /api/v1/subjects/:id/alerts': { id: 'subject' },
  'GET /api/v1/subjects/:id/rules': { id: 'subject' },
  'GET /api/v1/subjects/:id/overrides': { id: 'subject' },
  'POST /api/v1/subjects/:id/overrides': {
    id: 'subject',
    body: ({ now }) => ({
      ...{ rule: randomUUID(), reason: 'For the test', expiresAt: now + 86_400_000 },
      limits: [{ part: 'when', index: 0, limit: 1, unit: '1' }],
    }),
  },
  'POST /api/v1/subjects/:id/overrides/:override/end': { id: 'subject' },
  'GET /api/v1/subjects/:id/activities': { id: 'subject', query: 'from=0&to=1000' },
  'GET /api/v1/subjects/:id/enrolments': { id: 'subject' },
  'POST /api/v1/subjects/:id/enrolments': {
    id: 'subject',
    body: ({ owner }) => ({ program: 'none-such', owner }),
  },
  'GET /api/v1/subjects/:id/consents': { id: 'subject' },
  'GET /api/v1/subjects/:id/accounts': { id: 'subject' },
  'PUT /api/v1/enrolments/:id': { id: 'enrolment', body: ({ owner }) => ({ owner, backup: null }) },
  'POST /api/v1/enrolments/:id/end': { id: 'enrolment', body: () => ({ to: 1 }) },
  'GET /api/v1/tasks/:id': { id: 'task' },
  'GET /api/v1/tasks/:id/notifications': { id: 'task' },
  'POST /api/v1/tasks/:id/claim': { id: 'task', query: seen },
  'POST /api/v1/tasks/:id/acknowledge': { id: 'task', query: seen },
  'POST /api/v1/tasks/:id/release': { id: 'task', query: seen },
  'POST /api/v1/tasks/:id/reopen': { id: 'task', query: seen },
  'POST /api/v1/tasks/:id/snooze': { id: 'task', body: () => ({ minutes: 5, version: 999 }) },
  'POST /api/v1/tasks/:id/hand-off': { id: 'task', body: () => ({ to: randomUUID(), version: 999 }) },
  'POST /api/v1/tasks/:id/complete': {
    id: 'task',
    body: () => ({ disposition: 'no-action-needed', note: 'n', version: 999 }),
  },
  'GET /api/v1/alerts/:id/explain': { id: 'alert' },
  'PUT /api/v1/activities/:id': {
    body: ({ subject }) => ({
      ...{ subject, from: instant, to: instant, kind: 'data-review', source: 'worklist', ended: true },
    }),
  },
  'POST /api/v1/activities/:id/correct': {
    id: 'activity',
    body: () => ({
      ...{ id: randomUUID(), from: instant, to: 4_000_000_000_000, kind: 'data-review', contact: 'none' },
      reason: 'For the test',
    }),
  },
  'POST /api/v1/readings': {
    body: ({ subject }) => ({ subject, measuredAt: 1, values: [{ signal: 'systolic', value: 120, unit: 'mm[Hg]' }] }),
  },
  'POST /api/v1/devices/:id/assignments': { id: 'device', body: ({ subject }) => ({ subject }) },
  'POST /api/v1/subjects/search': { body: ({ subject }) => ({ ids: [subject] }) },
  'GET /api/v1/devices/:id': { id: 'device' },
  'GET /api/v1/devices/:id/assignments': { id: 'device' },
}

export interface Request {
  readonly method: Route['method']
  readonly url: string
  readonly payload?: object
}

export function requestOf({ method, url }: Pick<Route, 'method' | 'url'>, target: Target): Request {
  const { id, query, body } = aboutOne[`${method} ${url}`] ?? {}
  const path = url.replaceAll(/:(\w+)/g, (_, name: string) =>
    name === 'id' && id !== undefined ? target[id] : name === 'code' ? 'none-such' : randomUUID(),
  )
  const payload = (body?.(target) ?? (method === 'GET' || method === 'DELETE' ? undefined : {})) as object | undefined
  return { method, url: query === undefined ? path : `${path}?${query}`, ...(payload === undefined ? {} : { payload }) }
}
