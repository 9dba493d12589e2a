/** Subjects over HTTP. Names and identifiers are PHI, so a search is a POST: they must not stand in URLs. */
import {
  CareTeamList,
  CareTeamMembers,
  CareTeamView,
  EnrolmentEnd,
  EnrolmentList,
  EnrolmentUpdate,
  EnrolmentView,
  Id,
  NewCareTeam,
  NewEnrolment,
  NewSite,
  NewSubject,
  SiteList,
  SiteView,
  SubjectFound,
  SubjectList,
  SubjectListQuery,
  SubjectSearch,
  type SubjectSummary,
  SubjectUpdate,
  SubjectView,
} from '@careloop/contract'
import { z } from 'zod'
import { defineRoute, type PersonOrService, type Route } from '../identity/index.ts'
import { byOf } from './by.ts'
import { consentRoutes } from './consent/consent-routes.ts'
import { subjectFailure } from './errors.ts'
import type { NamedSubject } from './name-index.ts'
import type { Subject } from './subject-store.ts'
import type { Subjects } from './subjects.ts'

export { erasureRoutes } from './erasure/routes.ts'
export { personRoutes } from './person-routes.ts'

export const subjectsRoutes = (subjects: Subjects): Route[] => [
  ...subjectRoutes(subjects),
  ...siteRoutes(subjects),
  ...enrolmentRoutes(subjects),
  ...consentRoutes(subjects.consents),
]

const byId = z.object({ id: Id })

function subjectRoutes(subjects: Subjects): Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/api/v1/subjects',
      summary: 'Take in a patient, an asset or a location',
      policy: { action: 'create', resource: 'subject' },
      body: NewSubject,
      response: { 201: SubjectView },
      handler: async (ctx) =>
        ctx.reply(
          201,
          viewOf(await subjects.create(byOf(ctx.principal, ctx.requestId, 'subject', 'create'), ctx.body)),
        ),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/subjects',
      summary: 'Subjects in the order in which they were taken in',
      policy: { action: 'read', resource: 'subject' },
      query: SubjectListQuery,
      response: { 200: SubjectList },
      async handler(ctx) {
        const { items, next } = await subjects.list(byOf(ctx.principal, ctx.requestId), ctx.query)
        return ctx.reply(200, { items: items.map(summaryOf), next })
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/subjects/search',
      summary: 'Find subjects by words of name, address or birth date, by exact identifier, or by ids',
      policy: { action: 'read', resource: 'subject' },
      body: SubjectSearch,
      response: { 200: SubjectFound },
      async handler(ctx) {
        const found = await subjects.search(byOf(ctx.principal, ctx.requestId), ctx.body)
        return ctx.reply(200, { items: found.map(summaryOf) })
      },
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/subjects/:id',
      summary: 'One subject',
      policy: { action: 'read', resource: 'subject' },
      params: byId,
      response: { 200: SubjectView },
      handler: async (ctx) =>
        ctx.reply(200, viewOf(await subjects.subject(byOf(ctx.principal, ctx.requestId), ctx.params.id))),
    }),
    defineRoute({
      method: 'PUT',
      url: '/api/v1/subjects/:id',
      summary: 'Put a new state of a subject in place of the version that was read',
      policy: { action: 'update', resource: 'subject' },
      params: byId,
      body: SubjectUpdate,
      response: { 200: SubjectView },
      handler: async (ctx) =>
        ctx.reply(
          200,
          viewOf(
            await subjects.update(byOf(ctx.principal, ctx.requestId, 'subject', 'update'), ctx.params.id, ctx.body),
          ),
        ),
    }),
  ]
}

function siteRoutes(subjects: Subjects): Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/api/v1/sites',
      summary: 'Make a site',
      policy: { action: 'create', resource: 'site' },
      body: NewSite,
      response: { 201: SiteView },
      handler: async (ctx) => ctx.reply(201, await subjects.createSite(byOf(ctx.principal, ctx.requestId), ctx.body)),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/sites',
      summary: 'All sites',
      policy: { action: 'read', resource: 'site' },
      response: { 200: SiteList },
      handler: async (ctx) => ctx.reply(200, { items: await subjects.sites(ctx.tenant) }),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/care-teams',
      summary: 'Make a care team',
      policy: { action: 'create', resource: 'care-team' },
      body: NewCareTeam,
      response: { 201: CareTeamView },
      handler: async (ctx) =>
        ctx.reply(201, await subjects.createCareTeam(byOf(ctx.principal, ctx.requestId), ctx.body)),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/care-teams',
      summary: 'All care teams and their members',
      policy: { action: 'read', resource: 'care-team' },
      response: { 200: CareTeamList },
      handler: async (ctx) => ctx.reply(200, { items: await subjects.careTeams(ctx.tenant) }),
    }),
    defineRoute({
      method: 'PUT',
      url: '/api/v1/care-teams/:id/members',
      summary: 'Say who is in a care team',
      policy: { action: 'update', resource: 'care-team' },
      params: byId,
      body: CareTeamMembers,
      response: { 200: CareTeamView },
      async handler(ctx) {
        assertOwnTeam(ctx.principal, ctx.params.id)
        const by = byOf(ctx.principal, ctx.requestId)
        return ctx.reply(200, await subjects.setCareTeamMembers(by, ctx.params.id, ctx.body.members, ctx.body.letGo))
      },
    }),
  ]
}

/** Or anybody who treats would open every chart by joining its team. @throws Failure `care-team-not-yours` */
function assertOwnTeam(principal: PersonOrService, team: string): void {
  if (principal.kind !== 'staff' || principal.roles.includes('administrator')) return
  if (principal.reach?.teams.includes(team)) return
  throw subjectFailure(
    'care-team-not-yours',
    'You are not in this care team. Ask one of its members, or an administrator, to change it.',
    { pointer: '/params/id' },
  )
}

function enrolmentRoutes(subjects: Subjects): Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/api/v1/subjects/:id/enrolments',
      summary: 'Take a subject into a program',
      policy: { action: 'create', resource: 'enrolment' },
      params: byId,
      body: NewEnrolment,
      response: { 201: EnrolmentView },
      handler: async (ctx) =>
        ctx.reply(
          201,
          await subjects.enrol(byOf(ctx.principal, ctx.requestId, 'enrolment', 'create'), ctx.params.id, ctx.body),
        ),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/subjects/:id/enrolments',
      summary: 'Programs that a subject is or was in',
      policy: { action: 'read', resource: 'enrolment' },
      params: byId,
      response: { 200: EnrolmentList },
      handler: async (ctx) =>
        ctx.reply(200, {
          items: await subjects.readEnrolments(byOf(ctx.principal, ctx.requestId, 'enrolment'), ctx.params.id),
        }),
    }),
    defineRoute({
      method: 'PUT',
      url: '/api/v1/enrolments/:id',
      summary: 'Give an enrolment another owner or backup',
      policy: { action: 'update', resource: 'enrolment' },
      params: byId,
      body: EnrolmentUpdate,
      response: { 200: EnrolmentView },
      handler: async (ctx) =>
        ctx.reply(
          200,
          await subjects.updateEnrolment(
            byOf(ctx.principal, ctx.requestId, 'enrolment', 'update'),
            ctx.params.id,
            ctx.body,
          ),
        ),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/enrolments/:id/end',
      summary: 'End an enrolment',
      policy: { action: 'update', resource: 'enrolment' },
      params: byId,
      body: EnrolmentEnd,
      response: { 200: EnrolmentView },
      handler: async (ctx) =>
        ctx.reply(
          200,
          await subjects.endEnrolment(
            byOf(ctx.principal, ctx.requestId, 'enrolment', 'update'),
            ctx.params.id,
            ctx.body.to ?? null,
          ),
        ),
    }),
  ]
}

const summaryOf = (subject: NamedSubject): SubjectSummary => ({
  id: subject.id,
  kind: subject.kind,
  display: subject.display,
  ...(subject.birthDate === undefined ? {} : { birthDate: subject.birthDate }),
  timeZone: subject.timeZone,
  site: subject.site,
  team: subject.team,
})

const viewOf = (subject: Subject): SubjectView => ({
  ...summaryOf(subject),
  version: subject.version,
  createdAt: subject.createdAt,
  updatedAt: subject.updatedAt,
  resource: subject.resource,
})
