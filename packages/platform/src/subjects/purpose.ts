/**
 * For what somebody sees a patient (HL7 v3 PurposeOfUse): whom they see by nothing else than emergency access, they see for
 * emergency treatment. Said in every entry of the trail, so that whoever reviews the access finds all that was done by it.
 */
import type { AuditEntry } from '../audit/index.ts'
import type { Sight } from './sight.ts'

/** One entry as one or two: of patients seen by emergency access, and of all others. A purpose that is given stays. Pure. */
export function purposed(sight: Sight | undefined, entry: AuditEntry): readonly AuditEntry[] {
  if (entry.purpose !== undefined || sight?.reach === undefined) return [entry]
  const { subjects } = sight.reach
  const isEmergency = (subject: string): boolean => {
    const why = subjects.get(subject)?.why
    return why !== undefined && why.size === 1 && why.has('break-glass')
  }
  const own = entry.subject ?? (entry.resource === 'subject' ? entry.id : undefined)
  const all = [...(own === undefined ? [] : [own]), ...(entry.subjects ?? [])]
  const urgent = all.filter(isEmergency)
  if (urgent.length === 0) return [entry]
  const others = all.filter((each) => !urgent.includes(each))
  const { subject: _, subjects: __, ...rest } = entry
  const told: AuditEntry = { ...rest, subjects: urgent, purpose: 'ETREAT' }
  // Of a single subject the entry names it by its id: those of several are told apart by the column of subjects.
  return others.length === 0 ? [told] : [told, { ...rest, subjects: others }]
}
