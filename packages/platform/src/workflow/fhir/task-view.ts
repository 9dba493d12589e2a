/** Tasks as Task: who answers for them, until when, about which alert, and how they ended. */
import { dispositions, type Priority, type TaskStatus } from '@careloop/contract'
import { thingsOfAlerts, titlesOf } from '../../alerting/index.ts'
import {
  concept,
  type Derived,
  iso,
  practitioner,
  subjectReference,
  type View,
  type ViewedThrough,
  viewSystems,
} from '../../clinical/index.ts'
import type { Engine } from '../../engine/index.ts'
import { caregiverSources } from '../../identity/index.ts'
import { placesOf, type Thing } from '../../subjects/index.ts'
import { type TaskRow, toMs } from '../schema.ts'
import { communicationsOf } from './communications.ts'
import { type TaskSource, taskIdsAfter, taskSources, tasksTold } from './task-sources.ts'

export const taskView = (engine: Engine, clinical: ViewedThrough): View => ({
  name: 'tasks',
  types: ['Task', 'Communication'],
  facts: ['TaskOpened', 'TaskChanged', 'TaskHandedOff', 'TaskOverdue', 'Notified', 'DeliveryFailed'],
  idsOf: ({ body }) => [(body as { task?: string }).task].flatMap((task) => task ?? []),
  page: (tenant, after, limit) => engine.db.asTenant(tenant, (tx) => taskIdsAfter(tx, after, limit)),
  changed: (tenant, since, until) => engine.db.asTenant(tenant, (tx) => tasksTold(tx, since, until)),
  async open(tenant, ids) {
    const caregivers = await caregiversTold(engine, tenant, ids)
    return async (tx) => {
      const sources = await taskSources(engine, tx, ids)
      const alerts = sources.map(({ row }) => row.alert_id)
      const [things, titles] = [await thingsOfAlerts(tx, alerts), await titlesOf(tx, alerts)]
      const places = await placesOf(
        tx,
        sources.map(({ row }) => row.subject_id),
      )
      const keep: Derived[] = []
      for (const source of sources) {
        const { row } = source
        const place = places.get(row.subject_id)
        if (place === undefined) continue
        const subject = await subjectReference(clinical, tx, place)
        const whose = whoseOf(row, things.get(row.alert_id))
        const resource = taskOf(source, { ...whose, subject, title: titles.get(row.alert_id) ?? '' })
        const about = place.kind === 'patient' ? subject : null
        keep.push(
          { resource, ...whose, at: source.changedAt },
          ...communicationsOf(source, { about, caregivers, whose }),
        )
      }
      return { keep }
    }
  },
})

/** Accounts of caregivers among whom these tasks were told to, by user. */
async function caregiversTold(
  engine: Engine,
  tenant: string,
  tasks: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await engine.db.asTenant(tenant, (tx) =>
    tx.client.query<{ recipient: string }>(
      `select distinct recipient from tenant.notification_intent
        where tenant_id = $1 and task_id = any($2::uuid[]) and recipient ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'`,
      [tenant, tasks],
    ),
  )
  const users = rows.map(({ recipient }) => recipient)
  if (users.length === 0) return new Map()
  return new Map((await caregiverSources(engine, tenant, { users })).map(({ user, id }) => [user, id]))
}

/** What an alert tells of, its task tells too. */
const whoseOf = (row: TaskRow, thing: Thing | undefined) => ({
  subject: row.subject_id,
  ...(thing?.program === undefined ? {} : { program: thing.program }),
  ...(thing?.signals === undefined ? {} : { signals: thing.signals }),
})

const statuses: Readonly<Record<TaskStatus, string>> = {
  open: 'requested',
  claimed: 'in-progress',
  completed: 'completed',
}
const priorities: Readonly<Record<Priority, string>> = { high: 'stat', medium: 'urgent', low: 'routine' }
const steps = ['with its owner', 'told to the backup', 'told to everybody of the role'] as const

interface About {
  readonly subject: object
  readonly title: string
  readonly program?: string
}

function taskOf({ row, outcome, changedAt }: TaskSource, { subject, title, program }: About) {
  const limitFrom = toMs(row.paged_at ?? row.opened_at)
  const recipients = [row.owner_id, ...(row.backup_id === null ? [] : [row.backup_id])]
  return {
    ...{ resourceType: 'Task', id: row.id, identifier: [{ system: viewSystems.task, value: row.id }] },
    ...(program === undefined ? {} : { instantiatesCanonical: `${viewSystems.program}:${program}` }),
    ...{ status: statuses[row.status], businessStatus: businessStatusOf(row), intent: 'order' },
    priority: priorities[row.priority],
    code: concept({ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'fulfill' }, title),
    ...{ focus: { reference: `DetectedIssue/${row.alert_id}` }, for: subject },
    ...executionOf(row),
    ...{ authoredOn: iso(toMs(row.opened_at)), lastModified: iso(changedAt) },
    ...{ owner: practitioner(row.completed_by ?? row.claimed_by ?? row.owner_id) },
    restriction: {
      period: { start: iso(limitFrom), end: iso(toMs(row.due_at)) },
      recipient: recipients.map(practitioner),
    },
    ...(outcome === null ? {} : { output: outputOf(outcome) }),
  }
}

function executionOf({ claimed_at, completed_at }: TaskRow) {
  if (claimed_at === null) return {}
  const end = completed_at === null ? {} : { end: iso(toMs(completed_at)) }
  return { executionPeriod: { start: iso(toMs(claimed_at)), ...end } }
}

function businessStatusOf({ status, escalation, review }: TaskRow) {
  const words = status === 'completed' ? 'completed' : (steps[escalation] ?? steps[2])
  return { text: review ? `review, ${words}` : words }
}

const dispositionSystem = 'urn:careloop:disposition'

function outputOf({ disposition, note }: NonNullable<TaskSource['outcome']>) {
  const label = dispositions.find(({ code }) => code === disposition)?.label
  const done = concept({ system: dispositionSystem, code: disposition }, label)
  return [
    { type: { text: 'Disposition' }, valueCodeableConcept: done },
    ...(note.trim() === '' ? [] : [{ type: { text: 'Note' }, valueString: note }]),
  ]
}
