/** Bulk Data 2.0 over HTTP: kick-off, status, files, cancelling. */
import { type Pair, parseFhir, Unreadable, writeFhir } from '@careloop/fhir'
import { z } from 'zod'
import { defineRoute, type Replied, type Route } from '../../identity/index.ts'
import { clinicalFailure } from '../errors.ts'
import { preferred } from '../rest/answer.ts'
import { type Asked, basePath, contextOf, type FhirContext } from '../rest/context.ts'
import { outcomeOf, refusalOf } from '../rest/failure-outcome.ts'
import { fhirJsonType, textOf } from '../rest/format.ts'
import type { WritingRoom } from '../store/write.ts'
import { pairsOfParameters, readParameters } from './asked.ts'
import { cancelExport, exportState, kickOff } from './export-jobs.ts'
import { fetchFile } from './fetch-file.ts'
import { membersOf } from './group-members.ts'
import type { ExportScope } from './schema.ts'

const stream = { stream: fhirJsonType } as const
const answers = { 200: stream, 202: stream, 400: stream, 403: stream, 404: stream, 429: stream, 500: stream } as const
/** A poll a second from one address is more than `Retry-After` asks for. */
const pollsPerMinute = 120
const tag = 'Bulk Data'

export const exportRoutes = (room: WritingRoom): Route[] => [
  ...kickOffRoutes(room, 'system', `${basePath}/$export`, 'Export the record'),
  ...kickOffRoutes(room, 'patient', `${basePath}/Patient/$export`, 'Export what is of patients'),
  ...kickOffRoutes(room, 'group', `${basePath}/Group/:id/$export`, 'Export what is of the patients of a group'),
  ...jobRoutes(room),
]

interface ExportContext extends Asked {
  readonly params: unknown
  readonly bytes: Buffer
}

function kickOffRoutes(room: WritingRoom, scope: ExportScope, url: string, summary: string): Route[] {
  const shared = {
    ...{ url, summary, tag, policy: 'fhir', stepUp: true, response: answers },
    ...{
      query: z.record(z.string(), z.unknown()),
      params: scope === 'group' ? z.object({ id: z.string() }) : undefined,
    },
    description: 'Bulk Data 2.0: asynchronous, with `Prefer: respond-async`; docs/bulk-export.md.',
    handler: (ctx: unknown) => begin(room, scope, ctx as ExportContext),
  }
  const bytes = { maxBytes: 1 << 20, maxInflatedBytes: 1 << 20, contentTypes: ['*'] }
  return [{ ...shared, method: 'GET' } as unknown as Route, { ...shared, method: 'POST', bytes } as unknown as Route]
}

const begin = (room: WritingRoom, scope: ExportScope, asked: ExportContext): Promise<Replied> =>
  answered(room, asked, async (ctx) => {
    const prefer = String(ctx.headers.prefer ?? '')
    if (!/(?:^|[,;\s])respond-async(?:$|[,;\s])/.test(prefer))
      throw clinicalFailure('export-async-needed', 'Exports are asynchronous: send the header Prefer: respond-async.')
    const pairs = [...ctx.pairs, ...pairsIn(asked.bytes)]
    const parameters = readParameters(pairs, preferred(prefer, 'handling') === 'lenient')
    const { id: group } = (asked.params ?? {}) as { id?: string }
    const members = scope === 'group' ? await membersOf(room, ctx.by, group!) : null
    const place = scope === 'system' ? '' : scope === 'patient' ? '/Patient' : `/Group/${group}`
    const query = ctx.pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
    const request = `${ctx.base}${place}/$export${query === '' ? '' : `?${query}`}`
    const id = await kickOff(room, ctx.by, { scope, parameters, members, request, base: ctx.base })
    const text = writeFhir(
      outcomeOf([{ severity: 'information', code: 'informational', diagnostics: 'The export is under way.' }]),
    )
    return ctx.send(202, fhirJsonType, text, { headers: { 'content-location': `${ctx.base}/$export-status/${id}` } })
  })

function pairsIn(bytes: Buffer | undefined): Pair[] {
  if (bytes === undefined || bytes.length === 0) return []
  return pairsOfParameters(parseFhir(textOf(bytes)))
}

function jobRoutes(room: WritingRoom): Route[] {
  const job = z.object({ job: z.uuid() })
  const url = `${basePath}/$export-status/:job`
  const shared = { tag, policy: 'fhir', response: answers } as const
  return [
    defineRoute({
      ...{ ...shared, method: 'GET', url, params: job, perMinute: pollsPerMinute },
      summary: 'How far an export is; its manifest when it is done',
      handler: (ctx) => answered(room, ctx as unknown as Asked, (asked) => stateOf(room, asked, ctx.params.job)),
    }),
    defineRoute({
      ...{ ...shared, method: 'DELETE', url, params: job },
      summary: 'Cancel an export, or delete its files',
      handler: (ctx) =>
        answered(room, ctx as unknown as Asked, async (asked) => {
          await cancelExport(room, asked.by, ctx.params.job)
          return asked.send(202, fhirJsonType, '')
        }),
    }),
    defineRoute({
      ...{ ...shared, method: 'GET', url: `${url}/:file`, stepUp: true },
      params: job.extend({ file: z.coerce.number().int().min(1).max(1_000_000) }),
      summary: 'A file of an export, NDJSON: what of it may be seen now',
      handler: (ctx) =>
        answered(room, ctx as unknown as Asked, async (asked) => {
          const { text, headers } = await fetchFile(room, asked.by, ctx.params.job, ctx.params.file)
          return asked.send(200, 'application/fhir+ndjson', text, {
            headers: { ...headers, 'cache-control': 'no-store' },
          })
        }),
    }),
  ]
}

async function stateOf(room: WritingRoom, ctx: FhirContext, id: string): Promise<Replied> {
  const state = await exportState(room, ctx.by, id)
  if (state.status === 'running')
    return ctx.send(202, fhirJsonType, '', { headers: { 'x-progress': state.progress, 'retry-after': '5' } })
  if (state.status === 'failed')
    throw clinicalFailure('export-failed', `The export was given up (${state.error}). Begin another.`)
  const headers = { expires: new Date(state.expiresAt).toUTCString(), 'cache-control': 'no-store' }
  return ctx.send(200, 'application/json', JSON.stringify(state.manifest), { headers })
}

/** What fails is told as an OperationOutcome. */
async function answered(
  room: WritingRoom,
  asked: Asked,
  act: (ctx: FhirContext) => Promise<Replied>,
): Promise<Replied> {
  const ctx = contextOf(room.parts, asked)
  try {
    return await act(ctx)
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    const refusal = refusalOf(error)!
    return ctx.send(refusal.status, fhirJsonType, writeFhir(refusal.outcome))
  }
}
