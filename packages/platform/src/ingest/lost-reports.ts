/**
 * Reports about connections are not waited for: a storm of connects must not wait for commits. One that could not be stored is
 * counted and said in the log of the server, at most every ten seconds, because then there are thousands.
 */
import { Counter } from 'prom-client'
import type { Engine } from '../engine/index.ts'

export type Unawaited = 'connected' | 'disconnected' | 'settings-reached'

const SAY_EVERY_MS = 10_000

export function makeLostReports({ watch, clock }: Pick<Engine, 'watch' | 'clock'>) {
  const lost = new Counter({
    name: 'careloop_ingest_reports_lost_total',
    help: 'What should have been told of a device and could not be stored; its status is wrong until it connects again',
    labelNames: ['what'],
    registers: [watch.metrics],
  })
  let saidAt = Number.NEGATIVE_INFINITY
  let unsaid = 0
  return (what: Unawaited) =>
    (err: unknown): void => {
      lost.inc({ what })
      unsaid += 1
      if (clock.now() - saidAt < SAY_EVERY_MS) return
      watch.log.warn(
        { err, what, count: unsaid },
        'what connections of devices did could not be stored; their status is old',
      )
      saidAt = clock.now()
      unsaid = 0
    }
}
