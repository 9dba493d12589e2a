/** Is it alive, may traffic come, what does it measure. */
import { z } from 'zod'
import { defineRoute, type Route } from '../identity/index.ts'
import type { ApiParts, Readiness } from './parts.ts'

const ReadinessBody = z
  .object({
    ready: z.boolean(),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), problem: z.string().nullable() })),
  })
  .meta({ id: 'Readiness' })

/** A check that does not answer within this counts as failed. */
const checkTimeoutMs = 2_000

export function healthRoutes(parts: ApiParts): Route[] {
  // What `app` knows better under the same name replaces ours.
  const own = [databaseCheck(parts), logCheck(parts)]
  const checks = [...new Map([...own, ...parts.readiness].map((check) => [check.name, check])).values()]
  return [
    defineRoute({
      method: 'GET',
      url: '/healthz',
      summary: 'The process runs',
      tag: 'health',
      policy: 'public',
      response: { 200: z.object({ status: z.literal('ok'), version: z.string() }) },
      handler: (ctx) => ctx.reply(200, { status: 'ok', version: parts.version }),
    }),
    defineRoute({
      method: 'GET',
      url: '/readyz',
      summary: 'Traffic may come: database, migrations, disk and log are well',
      tag: 'health',
      policy: 'public',
      response: { 200: ReadinessBody, 503: ReadinessBody },
      async handler(ctx) {
        const results = await Promise.all(checks.map((check) => runCheck(parts, check)))
        const ready = results.every((result) => result.ok)
        return ctx.reply(
          ready ? 200 : 503,
          { ready, checks: results },
          { headers: ready ? {} : { 'retry-after': '5' } },
        )
      },
    }),
    defineRoute({
      method: 'GET',
      url: '/metrics',
      summary: 'Measures for Prometheus',
      tag: 'health',
      policy: 'operator',
      response: { 200: { stream: 'text/plain' } },
      async handler(ctx) {
        const { metrics } = parts.engine.watch
        return ctx.send(200, metrics.contentType, await metrics.metrics())
      },
    }),
  ]
}

async function runCheck(parts: ApiParts, check: Readiness) {
  const late = new AbortController()
  try {
    const problem = await Promise.race([
      check.check(),
      parts.engine.clock.sleep(checkTimeoutMs, late.signal).then(() => 'No answer in time.'),
    ])
    return { name: check.name, ok: problem === null, problem }
  } catch (error) {
    parts.engine.watch.log.warn({ err: error, component: check.name }, 'a readiness check failed')
    return { name: check.name, ok: false, problem: 'The check itself failed. See the log.' }
  } finally {
    late.abort()
  }
}

const databaseCheck = ({ engine }: ApiParts): Readiness => ({
  name: 'database',
  async check() {
    await engine.db.pool.query('select 1')
    return null
  },
})

const refusals = {
  'log-overloaded': 'The reading log cannot keep up. It will catch up when the flood ends.',
  'storage-low': 'The disk is nearly full. Free space or grow the volume.',
  'log-closed': 'The reading log is closed: this process is stopping.',
} as const

/** The log refuses below the disk's floor too, so this is the disk's check as well. */
const logCheck = ({ engine }: ApiParts): Readiness => ({
  name: 'reading-log',
  async check() {
    const refusal = engine.log.refusal()
    return refusal === null ? null : refusals[refusal]
  },
})
