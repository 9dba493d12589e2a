/** The rooms of one process, each made once, in the order in which they may call each other. */
import { profile } from '@careloop/profiles'
import type { Engine } from '../engine/index.ts'
import { ensureCa, type Fleet, issueDeviceCertificate, makeFleet } from '../fleet/index.ts'
import { type Identity, makeIdentity } from '../identity/index.ts'
import { makeQuarantine, type Quarantine } from '../ingest/index.ts'
import { makeSubjects, type Subjects } from '../subjects/index.ts'

export interface Rooms {
  readonly engine: Engine
  readonly identity: Identity
  readonly subjects: Subjects
  readonly fleet: Fleet
  readonly quarantine: Quarantine
}

export async function openRooms(engine: Engine, options: { secureCookies: boolean }): Promise<Rooms> {
  const identity = await makeIdentity(engine, { secureCookies: options.secureCookies, signInsPerMinute: 10 })
  const subjects = makeSubjects(engine, (tenant) => identity.members(tenant))
  const ca = await ensureCa(engine)
  const fleet = makeFleet(engine, {
    knowsProfile: (code) => profile(code) !== undefined,
    issueCertificate: (wanted) => issueDeviceCertificate(engine, ca, wanted),
  })
  const quarantine = makeQuarantine({ engine, attribution: fleet.attribution })
  return { engine, identity, subjects, fleet, quarantine }
}
