/** Where an alert comes from: the version of the rule that judged, and the messages of devices that it judged, by their SHA-256. */
import { type Derived, iso, viewSystems } from '../../clinical/index.ts'
import type { Alert } from '../alerts.ts'
import type { AlertStory } from './alert-sources.ts'

const participant = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type'
const dataOperation = 'http://terminology.hl7.org/CodeSystem/v3-DataOperation'

export function provenanceOf({ alert, story }: { alert: Alert; story: AlertStory }, made: readonly Derived[]) {
  const frames = new Set(story.evidence.flatMap((each) => each.frames.map(({ sha256 }) => sha256)))
  const rule = `${alert.rule.id}/${alert.rule.version}`
  return {
    ...{ resourceType: 'Provenance', id: alert.id },
    target: made.map(({ resource }) => ({ reference: `${resource.resourceType}/${resource.id}` })),
    recorded: iso(story.recordedAt),
    activity: { coding: [{ system: dataOperation, code: 'CREATE' }] },
    agent: [
      {
        type: { coding: [{ system: participant, code: 'assembler', display: 'Assembler' }] },
        who: { display: 'Careloop' },
      },
    ],
    entity: [
      { role: 'derivation', what: { identifier: { system: viewSystems.rule, value: rule } } },
      ...[...frames].map((value) => ({ role: 'source', what: { identifier: { system: viewSystems.frame, value } } })),
    ],
  }
}
