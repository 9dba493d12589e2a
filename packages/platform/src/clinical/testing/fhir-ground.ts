/** FHIR over HTTP on a fresh database: real engine, sign-in, store, search, views; an own service token asks unless said otherwise. */
import { type Canary, makeCanary } from '../../api/testing/canary.ts'
import { type TestShell, testShell } from '../../api/testing/test-shell.ts'
import { aPatient, byTest } from '../../subjects/fixtures.ts'
import { makeSubjects, type Subjects } from '../../subjects/index.ts'
import { makeFhirRoom } from '../make-clinical.ts'
import type { FhirRoom } from '../rest/fhir-room.ts'
import { clinicalRoutes } from '../routes.ts'
import { takeInSubjects } from '../views/take-in.ts'

type Answered = Awaited<ReturnType<TestShell['server']['inject']>>
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
type Headers = Readonly<Record<string, string>>

export interface FhirGround {
  readonly shell: TestShell
  readonly subjects: Subjects
  readonly room: FhirRoom
  /** What we call ourselves. */
  readonly base: string
  /** A patient in the subjects room. @returns their FHIR id */
  patient(): Promise<string>
  /** @param body JSON, or text as it is */
  ask(method: Method, path: string, body?: unknown, headers?: Headers): Promise<Answered>
  get(path: string, headers?: Headers): Promise<Answered>
  post(path: string, body: unknown, headers?: Headers): Promise<Answered>
  put(path: string, body: unknown, headers?: Headers): Promise<Answered>
  patch(path: string, body: unknown, headers?: Headers): Promise<Answered>
  delete(path: string, headers?: Headers): Promise<Answered>
  canary(): Canary
  close(): Promise<void>
}

export async function fhirGround(): Promise<FhirGround> {
  let made: { subjects: Subjects; room: FhirRoom } | undefined
  const shell = await testShell({
    routes(identity, engine) {
      const subjects = makeSubjects(engine, (tenant) => identity.members(tenant))
      const room = makeFhirRoom(engine, { consents: subjects.consents, takeIn: takeInSubjects(engine) })
      made = { subjects, room }
      return clinicalRoutes(room)
    },
  })
  const { subjects, room } = made!
  const authorization = await shell.token(['*:*'])
  const ask = (method: Method, path: string, body?: unknown, headers: Headers = {}) =>
    shell.server.inject({
      ...{ method, url: `/fhir/R4${path}` },
      headers: {
        host: 'care.example.org',
        // Somebody with a session of their own asks.
        ...(headers.cookie === undefined ? { authorization } : {}),
        ...(body === undefined ? {} : typed(method)),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  return {
    ...{ shell, subjects, room, ask, base: 'http://care.example.org/fhir/R4' },
    patient: async () => (await subjects.create(byTest(shell.tenant), aPatient())).id,
    get: (path, headers) => ask('GET', path, undefined, headers),
    post: (path, body, headers) => ask('POST', path, body, headers),
    put: (path, body, headers) => ask('PUT', path, body, headers),
    patch: (path, body, headers) => ask('PATCH', path, body, headers),
    delete: (path, headers) => ask('DELETE', path, undefined, headers),
    canary: makeCanary,
    close: shell.close,
  }
}

const typed = (method: Method): Headers => ({
  'content-type': method === 'PATCH' ? 'application/json-patch+json' : 'application/fhir+json',
})
