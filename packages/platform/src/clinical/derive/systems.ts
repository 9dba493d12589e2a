/** Names that stand for ever in what other systems keep of ours: a changed one is another thing to them. */
const base = 'https://careloop.dev/fhir'

export const systems = {
  loinc: 'http://loinc.org',
  mdc: 'urn:iso:std:iso:11073:10101',
  ucum: 'http://unitsofmeasure.org',
  /** Codes of our vocabulary of signals. */
  signal: `${base}/CodeSystem/signal`,
  category: 'http://terminology.hl7.org/CodeSystem/observation-category',
  phdCategory: 'http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories',
  absent: 'http://terminology.hl7.org/CodeSystem/data-absent-reason',
  interpretation: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation',
  statistics: 'http://terminology.hl7.org/CodeSystem/observation-statistics',
  agentType: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type',
  dataOperation: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation',
  /** Ids of the Observations that we make: whoever sends one back is known by it. */
  observation: `${base}/observation`,
  /** SHA-256, hex, of the bytes a device sent. */
  frame: `${base}/frame-sha256`,
  /** device/signal: the series of readings that a summary is of. */
  series: `${base}/series`,
} as const

export const extensions = {
  /** What the device's own clock said, before it was corrected. valueDateTime, or valueString for a wall clock without zone. */
  deviceTime: `${base}/StructureDefinition/device-time`,
  /** Why a reading is to be looked at with care. valueCode: a flag of the reading. */
  readingFlag: `${base}/StructureDefinition/reading-flag`,
  /** The value in the unit that the device used. */
  original: 'http://hl7.org/fhir/StructureDefinition/iso21090-PQ-translation',
} as const
