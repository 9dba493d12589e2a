/** What operators read of subscriptions. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Engine } from '../../engine/index.ts'
import { type Status, statuses } from './status.ts'
import { tableOf } from './subscription-rows.ts'

export const eventsTotal = (registry: Registry): Counter =>
  counter(registry, 'careloop_integrations_subscription_events_total', 'Events written for subscriptions, by topic', [
    'topic',
  ])

/** `accepted`, or the class of what went wrong. */
export const notificationsTotal = (registry: Registry): Counter =>
  counter(
    registry,
    'careloop_integrations_subscription_notifications_total',
    'Notifications to endpoints of subscriptions, by kind and how they ended',
    ['kind', 'outcome'],
  )

export const setAside = (registry: Registry): Counter =>
  counter(
    registry,
    'careloop_integrations_subscription_facts_set_aside_total',
    'Facts of which no event could be made: look at the error in the log',
    ['type'],
  )

/** From the event to the endpoint's answer, of notifications that were taken. */
export const notificationSeconds = (registry: Registry): Histogram => {
  const name = 'careloop_integrations_subscription_seconds'
  const help = 'From an event until the endpoint of its subscription took it'
  const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400]
  return (
    (registry.getSingleMetric(name) as Histogram | undefined) ??
    new Histogram({ name, help, buckets, registers: [registry] })
  )
}

const counter = (registry: Registry, name: string, help: string, labelNames: string[]): Counter =>
  (registry.getSingleMetric(name) as Counter | undefined) ??
  new Counter({ name, help, labelNames, registers: [registry] })

/** Subscriptions by status, counted when somebody asks for the metrics. */
export function watchSubscriptions(engine: Engine): void {
  const { metrics, log } = engine.watch
  const name = 'careloop_integrations_subscriptions'
  if (metrics.getSingleMetric(name) !== undefined) return
  const gauge: Gauge = new Gauge({
    ...{ name, help: 'Subscriptions by status; those in error tell nobody', labelNames: ['status'] },
    registers: [metrics],
    async collect() {
      const counts = await count(engine).catch((err: unknown) => {
        log.warn({ err }, 'subscriptions could not be counted')
        return null
      })
      gauge.reset()
      for (const [status, of] of counts ?? []) gauge.set({ status }, of)
    },
  })
}

async function count({ db }: Engine): Promise<ReadonlyMap<Status, number>> {
  const counts = new Map<Status, number>(statuses.map((status) => [status, 0]))
  for (const tenant of await db.tenants()) {
    const rows = await db.asTenant(tenant, (tx) =>
      tableOf(tx)
        .selectFrom('subscription')
        .select((eb) => ['status', eb.fn.countAll<string>().as('of')])
        .groupBy('status')
        .execute(),
    )
    for (const { status, of } of rows) counts.set(status, (counts.get(status) ?? 0) + Number(of))
  }
  return counts
}
