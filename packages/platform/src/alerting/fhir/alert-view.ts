/**
 * Alerts as DetectedIssue (what was found and what proves it), as Flag while somebody has to know of it, and as a Provenance of both.
 * A Flag is of a patient or a place: R4 has none of a device, so an alert about a thing is a DetectedIssue alone.
 */
import type { Priority } from '@careloop/contract'
import { conditionInWords } from '@careloop/rules'
import {
  concept,
  type Derived,
  iso,
  observationsOf,
  period,
  practitioner,
  subjectReference,
  type View,
  type ViewedThrough,
  viewSystems,
} from '../../clinical/index.ts'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { placesOf, type Sighted } from '../../subjects/index.ts'
import { type Alert, alertsOf } from '../alerts.ts'
import { thingOf } from '../consented.ts'
import { provenanceOf } from './alert-provenance.ts'
import { type AlertStory, alertIdsAfter, alertStories, alertsRecorded } from './alert-sources.ts'

export const alertView = (engine: Engine, clinical: ViewedThrough): View => ({
  name: 'alerts',
  types: ['DetectedIssue', 'Flag', 'Provenance'],
  facts: ['AlertRaised', 'AlertRecurred', 'AlertCleared', 'AlertEvidenceChanged', 'AlertClosed', 'AlertReopened'],
  idsOf: ({ body }) => [(body as { alert: string }).alert],
  page: (tenant, after, limit) => engine.db.asTenant(tenant, (tx) => alertIdsAfter(tx, after, limit)),
  // The Observations that prove it may be written a moment after it.
  changed: (tenant, since, until) => engine.db.asTenant(tenant, (tx) => alertsRecorded(tx, since, until)),
  open: async () => async (tx, ids) => {
    const alerts = await alertsOf(engine, tx, ids)
    const stories = await alertStories(engine, tx, ids)
    const places = await placesOf(
      tx,
      [...alerts.values()].map(({ subject }) => subject),
    )
    const keep: Derived[] = []
    for (const alert of alerts.values()) {
      const [story, place] = [stories.get(alert.id), places.get(alert.subject)]
      if (story !== undefined && place !== undefined)
        keep.push(...(await resourcesOf(clinical, tx, { alert, story, place })))
    }
    return { keep }
  },
})

interface Told {
  readonly alert: Alert
  readonly story: AlertStory
  readonly place: Sighted
}

async function resourcesOf(clinical: ViewedThrough, tx: TenantTx, told: Told): Promise<Derived[]> {
  const { alert, story, place } = told
  const subject = await subjectReference(clinical, tx, place)
  const readings = story.evidence.flatMap((each) => each.readings)
  const proof = await observationsOf(clinical, tx, alert.subject, readings)
  const { signals } = thingOf(alert.program.code, alert.rule.definition)
  const whose = { subject: alert.subject, program: alert.program.code, ...(signals === undefined ? {} : { signals }) }
  const issue = { resource: issueOf(told, subject, proof), ...whose, at: story.changedAt }
  const flag = { resource: flagOf(told, subject), ...whose, at: story.changedAt }
  const made = place.kind === 'asset' ? [issue] : [issue, flag]
  return [...made, { resource: provenanceOf(told, made), ...whose, at: story.recordedAt }]
}

const severities: Readonly<Record<Priority, string>> = { high: 'high', medium: 'moderate', low: 'low' }
const isOpen = ({ handling }: Alert): boolean => handling !== 'closed'

const codeOf = ({ rule }: Alert) =>
  concept({ system: viewSystems.rule, code: rule.definition.code }, rule.definition.title)

function issueOf({ alert, story, place }: Told, subject: object, proof: readonly object[]) {
  const signals = [...new Set(story.evidence.flatMap(({ readings }) => readings.map(({ signal }) => signal)))].sort()
  const evidence = [
    ...signals.map((code) => ({ code: [concept({ system: viewSystems.signal, code })] })),
    ...(proof.length === 0 ? [] : [{ detail: proof }]),
  ]
  return {
    ...{ resourceType: 'DetectedIssue', id: alert.id, identifier: [{ system: viewSystems.alert, value: alert.id }] },
    // Raised by readings that are somebody else's now, it is no issue of this subject.
    status: alert.wrongSubject ? 'entered-in-error' : isOpen(alert) ? 'preliminary' : 'final',
    ...{ code: codeOf(alert), severity: severities[alert.priority] },
    ...(place.kind === 'patient' ? { patient: subject } : { implicated: [subject] }),
    identifiedDateTime: iso(alert.raisedAt),
    ...(evidence.length === 0 ? {} : { evidence }),
    detail: alert.summary.sentence,
    ...mitigationOf(alert, story),
  }
}

function mitigationOf({ closedAt }: Alert, { closedBy }: AlertStory) {
  if (closedAt === null) return {}
  const author = closedBy?.startsWith('staff:') ? { author: practitioner(closedBy.slice('staff:'.length)) } : {}
  const action = { text: 'Closed: what was done stands in the Task of this issue.' }
  return { mitigation: [{ action, date: iso(closedAt), ...author }] }
}

const flagPriorities: Readonly<Record<Priority, string>> = { high: 'PH', medium: 'PM', low: 'PL' }
const flagUrl = (name: string) => `http://hl7.org/fhir/StructureDefinition/flag-${name}`

function flagOf({ alert }: Told, subject: object) {
  const priority = concept({ system: 'http://hl7.org/fhir/flag-priority-code', code: flagPriorities[alert.priority] })
  return {
    ...{ resourceType: 'Flag', id: alert.id },
    extension: [
      { url: flagUrl('detail'), valueReference: { reference: `DetectedIssue/${alert.id}` } },
      { url: flagUrl('priority'), valueCodeableConcept: priority },
    ],
    status: alert.wrongSubject ? 'entered-in-error' : isOpen(alert) ? 'active' : 'inactive',
    category: [concept({ ...{ system: 'http://terminology.hl7.org/CodeSystem/flag-category', code: 'safety' } })],
    code: { ...codeOf(alert), text: `${alert.rule.definition.title}: ${conditionInWords(alert.rule.definition.body)}` },
    ...{ subject, period: period(alert.raisedAt, alert.closedAt) },
  }
}
