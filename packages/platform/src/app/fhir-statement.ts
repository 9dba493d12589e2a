/** What the CapabilityStatement says beyond the clinical room: how apps are let in, topics of subscriptions, export. */
import { readFileSync } from 'node:fs'
import type { StatementParts } from '../clinical/index.ts'
import { topicCanonical, topics } from '../integrations/index.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const issuerOf = (base: string): string => new URL(base).origin

const bulk = 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition'
const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition'

export const fhirStatement: StatementParts = {
  version,
  topics: topics.map(({ code }) => topicCanonical(code)),
  operations: {
    '': [{ name: 'export', definition: `${bulk}/export` }],
    Patient: [{ name: 'export', definition: `${bulk}/patient-export` }],
    Group: [{ name: 'export', definition: `${bulk}/group-export` }],
    Subscription: [
      { name: 'status', definition: `${backport}/backport-subscription-status` },
      { name: 'events', definition: `${backport}/backport-subscription-events` },
    ],
  },
  smart: (base) => ({
    authorize: `${issuerOf(base)}/authorize`,
    token: `${issuerOf(base)}/oauth/token`,
    introspect: `${issuerOf(base)}/oauth/introspect`,
    revoke: `${issuerOf(base)}/oauth/revoke`,
    manage: `${issuerOf(base)}/account`,
  }),
}
