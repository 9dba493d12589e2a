/** The room, made once. */
import { keysOf } from '@careloop/fhir'
import type { Engine } from '../engine/index.ts'
import type { Clinical } from './clinical.ts'
import type { ClinicalParts } from './parts.ts'
import type { FhirRoom } from './rest/fhir-room.ts'
import { makeSearching } from './search/searching.ts'
import { dropDerived, keepDerived } from './store/derived.ts'
import { makeGround } from './store/ground.ts'
import { readHistory } from './store/history.ts'
import { oneGate } from './store/one-gate.ts'
import { openAll, patientIdOf } from './store/open-all.ts'
import { readResource, readVersion } from './store/read.ts'
import { nameOf, subjectsBehind } from './store/references.ts'
import { makeTogether } from './store/together.ts'
import { createResource, patchResource, removeResource, updateResource, type WritingRoom } from './store/write.ts'

/** What acts of the room take: its own routes and searches hold it besides `Clinical`. */
export function makeRoom(engine: Engine, parts: ClinicalParts): WritingRoom {
  const plain = { ground: makeGround(engine, keysOf), parts: { ...parts, consents: oneGate(parts.consents) } }
  return { ...plain, together: makeTogether(plain) }
}

/** With its search, as its routes take it. */
export function makeFhirRoom(engine: Engine, parts: ClinicalParts): FhirRoom {
  const room = makeRoom(engine, parts)
  return { ...room, searching: makeSearching(room) }
}

export function makeClinical(room: WritingRoom): Clinical {
  const { ground } = room
  return {
    read: (by, type, id) => readResource(room, by, type, id),
    vread: (by, type, id, version) => readVersion(room, by, { type, id, version }),
    history: (by, question) => readHistory(room, by, question),
    create: (by, tree) => createResource(room, by, tree),
    update: (by, tree, expected) => updateResource(room, by, tree, expected),
    patch: (by, type, id, change, expected = {}) => patchResource(room, by, { type, id }, { change, expected }),
    remove: (by, type, id, expected = {}) => removeResource(room, by, { type, id, expected }),
    keepDerived: (tx, derived, areNew) => keepDerived(ground, tx, derived, areNew),
    dropDerived: (tx, type, id, at) => dropDerived(ground, tx, type, id, at),
    openAll: (tx, rids) => openAll(ground, tx, rids),
    ridOf: async (tenant, type, id) => (await ground.blinds(tenant)).rid(type, id),
    patientIdOf: (tx, subject) => patientIdOf(ground, tx, subject),
    async subjectOfPatient(tx, id) {
      const target = { type: 'Patient', id }
      return (await subjectsBehind(ground, tx, [target])).get(nameOf(target)) ?? null
    },
  }
}
