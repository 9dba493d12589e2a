export { parseXml } from './read.ts'
export { fhirXmlType, writeXml } from './write.ts'
