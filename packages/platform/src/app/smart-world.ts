/** What SMART asks of patients, which identity does not know: whom somebody sees, whom they can choose, and how FHIR names them. */
import type { SmartWorld } from '../identity/index.ts'
import { byOf, isSeen, placesOf, sightOf, withReach } from '../subjects/index.ts'
import type { Rooms } from './rooms.ts'

type Parts = Pick<Rooms, 'engine' | 'subjects'> & { readonly clinical: Pick<Rooms['clinical'], 'patientIdOf'> }

export const smartWorldOf = ({ engine, subjects, clinical }: Parts): SmartWorld => ({
  async sees(person, subject) {
    const known = await withReach(engine, person)
    return engine.db.asTenant(person.tenant, async (tx) => {
      const place = (await placesOf(tx, [subject])).get(subject.toLowerCase())
      return place?.kind === 'patient' && isSeen(tx, subject, sightOf(known, 'read', 'subject'))
    })
  },
  async choices(person) {
    const known = await withReach(engine, person)
    const ids = [...(known.reach?.subjects.keys() ?? [])]
    if (ids.length === 0) return []
    const found = await subjects.search(byOf(known, engine.ids.uuid()), { ids, limit: 100 })
    return found.map(({ id, display }) => ({ id, display }))
  },
  patientId: (tenant, subject) => engine.db.asTenant(tenant, (tx) => clinical.patientIdOf(tx, subject)),
})
