/** What the CapabilityStatement says beyond the clinical room: how apps are let in, topics of subscriptions, export. */
import { readFileSync } from 'node:fs'
import type { StatementParts } from '../clinical/index.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const issuerOf = (base: string): string => new URL(base).origin

export const fhirStatement: StatementParts = {
  version,
  smart: (base) => ({
    authorize: `${issuerOf(base)}/authorize`,
    token: `${issuerOf(base)}/oauth/token`,
    introspect: `${issuerOf(base)}/oauth/introspect`,
    revoke: `${issuerOf(base)}/oauth/revoke`,
    manage: `${issuerOf(base)}/account`,
  }),
}
