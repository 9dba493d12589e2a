/** How much work waits, counted when somebody asks for the metrics. */
import { type Priority, priorities } from '@careloop/contract'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Engine } from '../engine/index.ts'
import type { WorkflowTables } from './schema.ts'

/** Alerts of which no task could be made. More than 0 means that somebody must look. */
export const setAside = (registry: Registry): Counter => {
  const name = 'careloop_workflow_facts_set_aside_total'
  const help = 'Facts about alerts of which no task could be made: look at the error in the log and at the alert'
  return (
    (registry.getSingleMetric(name) as Counter | undefined) ??
    new Counter({ name, help, labelNames: ['type'], registers: [registry] })
  )
}

/** Alerts that had no task for minutes and got one by being looked for. */
export const lateTasks = (registry: Registry): Counter =>
  counter(registry, {
    name: 'careloop_workflow_tasks_opened_late_total',
    help: 'Alerts without a task that were found by looking for them: the fact that told of them was set aside',
    labelNames: [],
  })

/** Intents by way and outcome: intended, delivered, failed (the next step was told), or why nobody was told. */
export const intentsTotal = (registry: Registry): Counter =>
  counter(registry, {
    name: 'careloop_workflow_notifications_total',
    help: 'Notifications by channel and outcome; failed means that the mail server did not take it again and again',
    labelNames: ['channel', 'outcome'],
  })

export const escalationsTotal = (registry: Registry): Counter =>
  counter(registry, {
    name: 'careloop_workflow_escalations_total',
    help: 'Tasks that went on to the backup (1) or the whole role (2), because the limit passed or a page was not delivered',
    labelNames: ['step', 'why'],
  })

const counter = (
  registry: Registry,
  { name, help, labelNames }: { name: string; help: string; labelNames: string[] },
) =>
  (registry.getSingleMetric(name) as Counter | undefined) ??
  new Counter({ name, help, labelNames, registers: [registry] })

/** Makes the gauges once for a registry. */
export function watchTasks(engine: Engine): void {
  const { metrics, log } = engine.watch
  if (metrics.getSingleMetric('careloop_workflow_tasks_open') !== undefined) return
  // Both gauges are asked at once: one count answers them.
  let counting: Promise<void> | undefined
  const collect = () => {
    counting ??= count().finally(() => {
      counting = undefined
    })
    return counting
  }
  const make = (name: string, help: string): Gauge =>
    new Gauge({ name, help, labelNames: ['priority'], registers: [metrics], collect })
  const overdue = make('careloop_workflow_tasks_overdue', 'Tasks past their time limit that nobody has completed')
  const open = make('careloop_workflow_tasks_open', 'Tasks that nobody has completed')
  const count = async () => {
    try {
      const counts = await countTasks(engine)
      for (const priority of priorities) {
        open.set({ priority }, counts[priority].open)
        overdue.set({ priority }, counts[priority].overdue)
      }
    } catch (err) {
      // Numbers of before are no numbers of now: better none.
      open.reset()
      overdue.reset()
      log.warn({ err }, 'tasks could not be counted')
    }
  }
}

type Counts = Record<Priority, { open: number; overdue: number }>

async function countTasks(engine: Engine): Promise<Counts> {
  const none = () => ({ open: 0, overdue: 0 })
  const counts: Counts = { high: none(), medium: none(), low: none() }
  const now = engine.clock.now()
  for (const tenant of await engine.db.tenants()) {
    const rows = await engine.db.asTenant(tenant, (tx) =>
      tx
        .tables<WorkflowTables>()
        .selectFrom('task')
        .where('status', '<>', 'completed')
        .select((eb) => [
          'priority',
          eb.fn.countAll<string>().as('open'),
          eb.fn.countAll<string>().filterWhere('due_at', '<', String(now)).as('overdue'),
        ])
        .groupBy('priority')
        .execute(),
    )
    for (const row of rows) {
      counts[row.priority].open += Number(row.open)
      counts[row.priority].overdue += Number(row.overdue)
    }
  }
  return counts
}

/** Timers that no process fires although they are due: escalation stands still, and nothing else says so. */
export function watchTimers(engine: Engine): void {
  const name = 'careloop_engine_timers_overdue'
  const { metrics, log } = engine.watch
  if (metrics.getSingleMetric(name) !== undefined) return
  const help = 'Timers due for more than 10 s that no process fires: more than 0 for long means that nobody escalates'
  const overdue: Gauge = new Gauge({
    ...{ name, help, registers: [metrics] },
    async collect() {
      try {
        overdue.set(await engine.timers.overdue(10_000))
      } catch (err) {
        overdue.reset()
        log.warn({ err }, 'timers could not be counted')
      }
    },
  })
}
