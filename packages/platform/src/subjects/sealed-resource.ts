/** A subject's FHIR resource at rest: JSON under the subject's own data key, so that erasing the key erases the person. */
import type { SubjectResource } from '@careloop/contract'
import type { DataKey } from '../engine/index.ts'
import { subjectFailure } from './errors.ts'

/** Of what is typed into a page, and of what a record system sends (photographs among it). */
export const maxResourceBytes = 64 * 1024
export const maxFhirBytes = 1024 * 1024

// The additional data ties the bytes to their row: a body copied to another subject does not open.
const aadOf = (tenant: string, subject: string): string => `subject-resource:${tenant}:${subject}`

/** @throws Failure `subject-too-large` */
export const sealResource = (key: DataKey, tenant: string, subject: string, resource: SubjectResource): Buffer =>
  sealText(key, tenant, subject, JSON.stringify(resource), maxResourceBytes)

/** @param text FHIR JSON, whose decimals keep their spelling @throws Failure `subject-too-large` */
export function sealText(key: DataKey, tenant: string, subject: string, text: string, maxBytes = maxFhirBytes): Buffer {
  const plain = Buffer.from(text)
  if (plain.byteLength > maxBytes)
    throw subjectFailure(
      'subject-too-large',
      `The resource may take at most ${maxBytes / 1024} kB. Leave out what is not needed here.`,
      {
        pointer: '/body/resource',
      },
    )
  return key.seal(plain, aadOf(tenant, subject))
}

/** @throws Failure `seal-broken` */
export const openResource = (key: DataKey, tenant: string, subject: string, sealed: Uint8Array): SubjectResource =>
  JSON.parse(openText(key, tenant, subject, sealed)) as SubjectResource

/** @throws Failure `seal-broken` */
export const openText = (key: DataKey, tenant: string, subject: string, sealed: Uint8Array): string =>
  key.open(sealed, aadOf(tenant, subject)).toString()
