/** What this server can, made of what it does: rights, searches, profiles and operations are read from where they are decided. */
import { type FhirTree, parametersOf, type SearchParameter, supportedProfiles } from '@careloop/fhir'
import { servedTypes } from './types.ts'

/** What later rooms and `app` add to the statement. */
export interface StatementParts {
  readonly version: string
  /** Addresses of SMART App Launch, where apps can be let in. */
  readonly smart?: (
    base: string,
  ) => Readonly<Record<'authorize' | 'token' | 'introspect' | 'revoke' | 'manage', string>>
  /** Canonicals of the topics of Subscriptions. */
  readonly topics?: readonly string[]
  /** Operations of other rooms, by type; `''` = of the whole server. */
  readonly operations?: Readonly<Record<string, readonly Operation[]>>
}

export interface Operation {
  readonly name: string
  readonly definition: string
}

const operation = (name: string, definition: string): Operation => ({
  name,
  definition: `http://hl7.org/fhir/${definition}`,
})
const validate = operation('validate', 'OperationDefinition/Resource-validate')
const own: Readonly<Record<string, readonly Operation[]>> = {
  Patient: [operation('everything', 'OperationDefinition/Patient-everything')],
  Observation: [operation('lastn', 'OperationDefinition/Observation-lastn')],
}

const reading = ['read', 'vread', 'history-instance', 'history-type', 'search-type']
const writing = ['create', 'update', 'patch', 'delete']

export function capabilityStatement(base: string, parts: StatementParts, date: string): FhirTree {
  const { version, topics = [], smart } = parts
  return {
    ...{ resourceType: 'CapabilityStatement', status: 'active', date, kind: 'instance', fhirVersion: '4.0.1' },
    ...{ format: ['json', 'xml'], patchFormat: ['application/json-patch+json'] },
    instantiates: [
      'http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server',
      'http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data',
    ],
    ...{ publisher: 'Careloop', software: { name: 'Careloop', version } },
    implementation: { description: 'Careloop: readings of devices, alerts and work as FHIR R4', url: base },
    rest: [
      {
        ...{ mode: 'server', documentation: documentation },
        ...(smart === undefined ? {} : { security: securityOf(smart(base)) }),
        resource: typesServed.map((type) => resourceOf(type, parts)),
        interaction: [{ code: 'transaction' }, { code: 'batch' }, { code: 'history-system' }],
        ...listed(
          'operation',
          (parts.operations?.[''] ?? []).map((each) => ({ ...each })),
        ),
        ...listed(
          'extension',
          topics.map((valueUri) => ({ url: topicExtension, valueUri })),
        ),
      },
    ],
  } as unknown as FhirTree
}

const documentation =
  'Search by POST to _search where parameters name people: what stands in a URL is kept by proxies. If-Match is honoured and never demanded. A person is erased by two people on the pages, not by DELETE.'

/** Subscriptions R5 Backport 1.1.0: how R4 names the topics of a server. */
const topicExtension =
  'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/capabilitystatement-subscriptiontopic-canonical'

/** What is sent or answered has no place of its own. */
const typesServed = Object.keys(servedTypes).filter((type) => type !== 'OperationOutcome')

const listed = (name: string, list: readonly unknown[]) => (list.length === 0 ? {} : { [name]: list })

function resourceOf(type: string, { operations }: StatementParts) {
  const { isReadOnly, isElsewhere = false } = servedTypes[type]!
  const codes = [...reading, ...(isReadOnly === true ? [] : writing)].filter(
    (code) => (type !== 'Patient' || code !== 'delete') && !(isElsewhere && code.startsWith('history')),
  )
  const isWritten = isReadOnly !== true
  const profiles = supportedProfiles(type)
  const parameters = [...parametersOf(type).values()]
  return {
    type,
    ...listed('supportedProfile', profiles),
    interaction: codes.map((code) => ({ code })),
    ...{ versioning: isElsewhere ? 'no-version' : 'versioned-update', readHistory: !isElsewhere },
    ...{ updateCreate: isWritten, conditionalCreate: isWritten },
    ...{ conditionalRead: 'full-support', conditionalUpdate: isWritten },
    conditionalDelete: codes.includes('delete') ? 'single' : 'not-supported',
    referencePolicy: ['literal', 'logical', 'local'],
    ...(isElsewhere ? {} : besideOf(type, parameters)),
    searchParam: parameters.map(({ code, type: kind }) => ({ name: code, type: kind })),
    operation: [...(isElsewhere ? [] : [validate]), ...(own[type] ?? []), ...(operations?.[type] ?? [])],
  }
}

const referencesOf = (parameters: readonly SearchParameter[]) => parameters.filter(({ type }) => type === 'reference')

const besideOf = (type: string, parameters: readonly SearchParameter[]) => ({
  searchInclude: ['*', ...referencesOf(parameters).map(({ code }) => `${type}:${code}`)],
  searchRevInclude: revIncludesOf(type),
})

const revIncludesOf = (type: string): string[] =>
  typesServed.flatMap((source) =>
    referencesOf([...parametersOf(source).values()])
      .filter(({ targets }) => targets === undefined || targets.length === 0 || targets.includes(type))
      .map(({ code }) => `${source}:${code}`),
  )

/** SMART App Launch: the older clients look for the addresses here. */
const securityOf = (addresses: ReturnType<NonNullable<StatementParts['smart']>>) => ({
  service: [
    {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }],
      text: 'OAuth 2.0 by SMART App Launch 2.2',
    },
  ],
  extension: [
    {
      url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
      extension: Object.entries(addresses).map(([url, valueUri]) => ({ url, valueUri })),
    },
  ],
})
