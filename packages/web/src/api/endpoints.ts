/** What the pages ask. Types are the contract's schemas, imported as types only; a test holds each against OpenAPI. */
import type {
  CareTeamList,
  CompleteTask,
  DeviceList,
  ExplainBody,
  LatestBody,
  Me,
  QuarantineBytes,
  QuarantineCounts,
  QuarantinePage,
  SeriesBody,
  SetUp,
  SubjectFound,
  SubjectView,
  TaskBody,
  Worklist,
} from '@careloop/contract'
import type { z } from 'zod'
import type { Endpoint, Method } from './client.ts'

export type Latest = z.infer<typeof LatestBody>
export type Series = z.infer<typeof SeriesBody>

function on<Answer, Body = undefined>() {
  return <const Path extends string>(method: Method, path: Path): Endpoint<Answer, Body, Path> => ({ method, path })
}

export const endpoints = {
  signIn: on<unknown, { email: string; password: string }>()('POST', '/api/auth/sign-in/email'),
  signOut: on<undefined>()('POST', '/api/auth/sign-out'),
  setUp: on<{ tenant: string; user: string }, SetUp>()('POST', '/api/v1/setup'),
  me: on<Me>()('GET', '/api/v1/me'),
  worklist: on<Worklist>()('GET', '/api/v1/worklist'),
  careTeams: on<CareTeamList>()('GET', '/api/v1/care-teams'),
  task: on<TaskBody>()('GET', '/api/v1/tasks/{id}'),
  claim: on<TaskBody>()('POST', '/api/v1/tasks/{id}/claim'),
  complete: on<TaskBody, CompleteTask>()('POST', '/api/v1/tasks/{id}/complete'),
  explain: on<ExplainBody>()('GET', '/api/v1/alerts/{id}/explain'),
  subject: on<SubjectView>()('GET', '/api/v1/subjects/{id}'),
  subjectsByIds: on<SubjectFound, { ids: string[]; limit: number }>()('POST', '/api/v1/subjects/search'),
  latest: on<Latest>()('GET', '/api/v1/subjects/{id}/latest'),
  series: on<Series>()('GET', '/api/v1/subjects/{id}/series'),
  devices: on<DeviceList>()('GET', '/api/v1/devices'),
  quarantine: on<z.infer<typeof QuarantinePage>>()('GET', '/api/v1/quarantine'),
  quarantineCounts: on<z.infer<typeof QuarantineCounts>>()('GET', '/api/v1/quarantine/counts'),
  quarantineBytes: on<z.infer<typeof QuarantineBytes>>()('GET', '/api/v1/quarantine/{id}/bytes'),
  replay: on<{ readings: number }, { takeImplausible: boolean }>()('POST', '/api/v1/quarantine/{id}/replay'),
  dismiss: on<undefined, { why: DismissReason }>()('POST', '/api/v1/quarantine/{id}/dismiss'),
} as const

/** Why a quarantined message is let go, in the order a form shows them. */
export const dismissReasons = {
  'device-fault': 'The device was faulty',
  'test-data': 'It was a test',
  'not-ours': 'The device is not ours',
  repeated: 'It repeats one that was taken in',
  'wrong-person': 'It belongs to somebody else',
} as const
export type DismissReason = keyof typeof dismissReasons
