/** The subjects room as other rooms and `app` hold it. */
import type {
  BreakGlass,
  CareTeamView,
  EnrolmentUpdate,
  EnrolmentView,
  NewCareTeam,
  NewEnrolment,
  NewSite,
  NewSubject,
  SiteView,
  SubjectSearch,
  SubjectUpdate,
} from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import type { By } from './by.ts'
import { createCareTeam, listCareTeams, setCareTeamMembers } from './care-teams.ts'
import { type ConsentParts, type Consents, makeConsents } from './consent/consents.ts'
import {
  type Enrolling,
  endEnrolment,
  enrol,
  enrolmentsAt,
  enrolmentsOf,
  enrolmentsOfMany,
  updateEnrolment,
} from './enrolments.ts'
import { exactPatient } from './exact-patient.ts'
import type { NamedSubject } from './name-index.ts'
import { makeNameKeeper, type NameKeeper } from './name-keeper.ts'
import { placesOf, type Sighted } from './sight.ts'
import { createSite, listSites } from './sites.ts'
import type { StaffOf } from './staff.ts'
import { listSubjects, searchSubjects } from './subject-search.ts'
import {
  createSubject,
  openSubjects,
  readSubject,
  type Subject,
  type SubjectFilter,
  updateSubject,
} from './subject-store.ts'

export interface Subjects {
  create(by: By, wanted: NewSubject): Promise<Subject>
  update(by: By, id: string, wanted: SubjectUpdate): Promise<Subject>
  /** One subject, opened; audited as a reading. @throws Failure `subject-not-found`, `key-destroyed` */
  subject(by: By, id: string): Promise<Subject>
  list(by: By, filter: SubjectFilter): Promise<{ items: NamedSubject[]; next: string | null }>
  /** By words, by exact identifier, or by ids; what was found is audited. */
  search(by: By, search: SubjectSearch): Promise<NamedSubject[]>
  /**
   * Names from memory, for pages that show other rooms' things beside a subject's name. PHI, and not audited here: the caller
   * audits what it shows. Ids that are unknown or erased are absent.
   */
  names(tenant: string, ids: readonly string[]): Promise<ReadonlyMap<string, NamedSubject>>
  /** What decides who sees these subjects, from the rows; those that are not there are absent. */
  placesOf(tenant: string, ids: readonly string[]): Promise<ReadonlyMap<string, Sighted>>
  /** Words of name, address or birth date, each a prefix, without case and accents. From memory; not audited. */
  find(tenant: string, text: string, limit?: number): Promise<NamedSubject[]>
  /**
   * The one patient who has exactly this identifier, or this whole name and birth date; null when nobody or several have. Not
   * audited here: emergency access records every attempt itself.
   */
  exactPatient(tenant: string, wanted: BreakGlass['patient']): Promise<string | null>
  createSite(by: By, wanted: NewSite): Promise<SiteView>
  sites(tenant: string): Promise<SiteView[]>
  createCareTeam(by: By, wanted: NewCareTeam): Promise<CareTeamView>
  /** @param letGo said that a team with patients is left without anybody */
  setCareTeamMembers(by: By, id: string, members: readonly string[], letGo?: boolean): Promise<CareTeamView>
  careTeams(tenant: string): Promise<CareTeamView[]>
  enrol(by: By, subject: string, wanted: NewEnrolment): Promise<EnrolmentView>
  updateEnrolment(by: By, id: string, wanted: EnrolmentUpdate): Promise<EnrolmentView>
  endEnrolment(by: By, id: string, end: number | null): Promise<EnrolmentView>
  enrolmentsOf(tenant: string, subject: string): Promise<EnrolmentView[]>
  /** Of many at once, by subject. */
  enrolmentsOfMany(tenant: string, subjects: readonly string[]): Promise<ReadonlyMap<string, readonly EnrolmentView[]>>
  /** For a person: audited. */
  readEnrolments(by: By, subject: string): Promise<EnrolmentView[]>
  /** @param programs only in these */
  enrolmentsAt(tenant: string, at: number, programs?: readonly string[]): Promise<EnrolmentView[]>
  /** What patients permitted and forbade; asked before anything of them is shown, told or sent. */
  readonly consents: Consents
  /** Loads the names of all tenants and keeps them; `stages.ts` runs it. Search works without, from the first call on. */
  start(): Promise<() => Promise<void>>
}

/** @param enrolling without it every program is taken for active and everybody for an owner: for what has no programs */
export function makeSubjects(
  engine: Engine,
  staff: StaffOf,
  enrolling: Enrolling | null = null,
  consenting: ConsentParts | null = null,
): Subjects {
  const names = makeNameKeeper(engine)
  const consents = makeConsents(engine, consenting)
  const kept = async (by: By, made: Promise<Subject>): Promise<Subject> => {
    const subject = await made
    names.put(by.tenant, subject)
    return subject
  }
  return {
    create: (by, wanted) => kept(by, createSubject(engine, by, wanted)),
    update: (by, id, wanted) => kept(by, updateSubject(engine, staff, by, id, wanted)),
    subject: (by, id) => readSubject(engine, by, id),
    list: (by, filter) => listSubjects(engine, by, filter),
    search: (by, search) => searchSubjects(engine, names, by, search),
    names: (tenant, ids) => namesOf(engine, names, tenant, ids),
    placesOf: (tenant, ids) => engine.db.asTenant(tenant, (tx) => placesOf(tx, ids)),
    find: async (tenant, text, limit = 50) => (await names.of(tenant)).find(text, limit),
    exactPatient: (tenant, wanted) => exactPatient(engine, names, tenant, wanted),
    createSite: (by, wanted) => createSite(engine, by, wanted),
    sites: (tenant) => listSites(engine, tenant),
    createCareTeam: (by, wanted) => createCareTeam(engine, staff, by, wanted),
    setCareTeamMembers: (by, id, members, letGo = false) =>
      setCareTeamMembers(engine, staff, by, id, { members, letGo }),
    careTeams: (tenant) => listCareTeams(engine, tenant),
    enrol: (by, subject, wanted) => enrol(engine, staff, enrolling, by, subject, wanted),
    updateEnrolment: (by, id, wanted) => updateEnrolment(engine, staff, enrolling, by, id, wanted),
    endEnrolment: (by, id, end) => endEnrolment(engine, by, id, end),
    enrolmentsOfMany: (tenant, ids) => enrolmentsOfMany(engine, tenant, ids),
    enrolmentsOf: (tenant, subject) => enrolmentsOf(engine, tenant, subject),
    readEnrolments: async (by, subject) => enrolmentsOf(engine, by.tenant, subject, by, await consents.gate(by)),
    enrolmentsAt: (tenant, at, programs) => enrolmentsAt(engine, tenant, at, programs),
    consents,
    start: () => names.start(),
  }
}

async function namesOf(engine: Engine, keeper: NameKeeper, tenant: string, ids: readonly string[]) {
  const index = await keeper.of(tenant)
  const found = new Map<string, NamedSubject>()
  const missing: string[] = []
  for (const id of new Set(ids)) {
    const known = index.get(id)
    if (known) found.set(id, known)
    else missing.push(id)
  }
  if (missing.length === 0) return found
  // Made by another process a moment ago: the row is there before its name is.
  const opened = await engine.db.asTenant(tenant, (tx) => openSubjects(engine, tx, missing))
  for (const subject of opened) found.set(subject.id, subject)
  return found
}
