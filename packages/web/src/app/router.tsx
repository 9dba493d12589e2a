/** Every page and where it lives. What a page shows stands in the URL; names and values never do. */
import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Link,
  lazyRouteComponent,
  Outlet,
  redirect,
  useRouter,
} from '@tanstack/react-router'
import { ApiError } from '../api/client.ts'
import { queries } from '../api/queries.ts'
import { isPasswordChangeNeeded, isSecondFactorNeeded } from '../pages/account/second-factor-needed.ts'
import type { SecondFactorSearch } from '../pages/account/second-factor-page.tsx'
import type { AuditSearchParams } from '../pages/audit/page.tsx'
import { views } from '../pages/audit/views.ts'
import { askedQuery } from '../pages/authorize/asked-query.ts'
import type { BoardSearch } from '../pages/board/page.tsx'
import type { BreachesSearch } from '../pages/breaches/page.tsx'
import type { DevelopersSearch } from '../pages/developers/page.tsx'
import { views as developerViews } from '../pages/developers/views.ts'
import type { DeviceSearch } from '../pages/devices/device-page.tsx'
import type { DevicesSearch } from '../pages/devices/page.tsx'
import { deviceStates } from '../pages/devices/shown-devices.ts'
import type { ErasureSearch } from '../pages/erasure/page.tsx'
import type { IdentityProviderSearch } from '../pages/identity-provider/page.tsx'
import type { ProgramSearch } from '../pages/programs/program-page.tsx'
import type { QuarantineSearch } from '../pages/quarantine/page.tsx'
import { statuses } from '../pages/quarantine/statuses.ts'
import type { RecordSearch } from '../pages/record/page.tsx'
import type { ReviewsSearch } from '../pages/reviews/page.tsx'
import { SignInPage, type SignInSearch } from '../pages/sign-in.tsx'
import type { SubjectSearch } from '../pages/subject/page.tsx'
import type { SubjectsSearch } from '../pages/subjects/page.tsx'
import { loadWorklist, WorklistPage, type WorklistSearch } from '../pages/worklist/page.tsx'
import { Empty, Failed } from '../parts/page-state.tsx'
import { backOf } from './back.ts'
import { homeOf, isPerson } from './home.ts'
import { showLocked } from './idle.ts'
import { PageNotLoaded, pages } from './pages.ts'
import { Shell } from './shell.tsx'

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Outlet,
  notFoundComponent: () => (
    <Empty title="There is no such page">
      <Link to="/">Go to your first page</Link>
    </Empty>
  ),
})

type Raw = Readonly<Record<string, unknown>>
const textOf = <K extends string>(raw: Raw, name: K): { [P in K]?: string } =>
  (typeof raw[name] === 'string' ? { [name]: raw[name] } : {}) as { [P in K]?: string }

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (raw: Raw): SignInSearch => ({
    ...backOf(raw),
    ...(raw.ended === true ? { ended: true } : {}),
    ...textOf(raw, 'org'),
    ...textOf(raw, 'sso'),
  }),
  component: SignInPage,
})

const setUp = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(pages.setUp, 'SetUpPage'),
})

const invitation = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  component: lazyRouteComponent(pages.invitation, 'InvitationPage'),
})

const activate = createRoute({
  getParentRoute: () => root,
  path: '/activate',
  component: lazyRouteComponent(pages.activate, 'ActivatePage'),
})

/** For patients and caregivers: no staff page is reached from it. */
async function assertPerson({ context, location }: { context: { client: QueryClient }; location: { href: string } }) {
  try {
    const { roles } = await context.client.ensureQueryData(queries.me)
    if (!isPerson(roles)) throw redirect({ to: '/' })
  } catch (error) {
    if (error instanceof ApiError && error.code === 'session-locked') return showLocked(false)
    if (!(error instanceof ApiError) || error.status !== 401) throw error
    throw redirect({ to: '/sign-in', search: { back: location.href } })
  }
}

const person = createRoute({
  getParentRoute: () => root,
  path: '/today',
  beforeLoad: assertPerson,
  component: lazyRouteComponent(pages.person, 'PersonPage'),
})

const personAccount = createRoute({
  getParentRoute: () => root,
  path: '/today/account',
  beforeLoad: assertPerson,
  component: lazyRouteComponent(pages.personAccount, 'PersonAccountPage'),
})

const secondFactor = createRoute({
  getParentRoute: () => root,
  path: '/second-factor',
  validateSearch: (raw: Raw): SecondFactorSearch => backOf(raw),
  component: lazyRouteComponent(pages.secondFactor, 'SecondFactorPage'),
})

/** A screen on a wall: no session, no frame of the pages around it. */
const display = createRoute({
  getParentRoute: () => root,
  path: '/display',
  component: lazyRouteComponent(pages.display, 'DisplayPage'),
})

/** Open to all: it says only how the walk to the organisation's sign-in ended. */
const proved = createRoute({
  getParentRoute: () => root,
  path: '/proved',
  validateSearch: (raw: Raw) => textOf(raw, 'failed'),
  component: lazyRouteComponent(pages.proved, 'ProvedPage'),
})

/** An app sent a person here: staff, patient or caregiver. None of our own pages stand around it. */
const authorize = createRoute({
  getParentRoute: () => root,
  path: '/authorize',
  async beforeLoad({ context }) {
    try {
      await context.client.ensureQueryData(queries.me)
    } catch (error) {
      const search = { back: `/authorize?${askedQuery()}` }
      if (isPasswordChangeNeeded(error)) throw redirect({ to: '/new-password', search })
      if (isSecondFactorNeeded(error)) throw redirect({ to: '/second-factor', search })
      if (!(error instanceof ApiError) || ![401, 423].includes(error.status)) throw error
      throw redirect({ to: '/sign-in', search })
    }
  },
  component: lazyRouteComponent(pages.authorize, 'AuthorizePage'),
})

const apps = createRoute({
  getParentRoute: () => staff,
  path: '/apps',
  loader: async ({ context }) => (await pages.apps()).loadApps(context.client),
  component: lazyRouteComponent(pages.apps, 'AppsPage'),
})

const newPassword = createRoute({
  getParentRoute: () => root,
  path: '/new-password',
  validateSearch: (raw: Raw): SecondFactorSearch => backOf(raw),
  component: lazyRouteComponent(pages.newPassword, 'NewPasswordPage'),
})

const staff = createRoute({
  getParentRoute: () => root,
  id: 'staff',
  async beforeLoad({ context, location }) {
    try {
      const { roles } = await context.client.ensureQueryData(queries.me)
      // Whoever is sent to their account (to set up a second factor) comes to theirs.
      if (isPerson(roles)) throw redirect({ to: location.pathname === '/account' ? '/today/account' : '/today' })
    } catch (error) {
      const back = location.pathname === '/' ? {} : { back: location.href }
      if (isPasswordChangeNeeded(error)) throw redirect({ to: '/new-password', search: back })
      if (isSecondFactorNeeded(error)) throw redirect({ to: '/second-factor', search: back })
      // The lock screen stands in place of the page; unlocking it asks again.
      if (error instanceof ApiError && error.code === 'session-locked') return showLocked(false)
      if (!(error instanceof ApiError) || error.status !== 401) throw error
      throw redirect({ to: '/sign-in', search: back })
    }
  },
  component: Shell,
  errorComponent: ({ error, reset }) => (
    <Failed
      what="Careloop cannot be shown"
      error={error instanceof Error ? error : new Error(String(error))}
      onRetry={reset}
    />
  ),
})

const home = createRoute({
  getParentRoute: () => staff,
  path: '/',
  async beforeLoad({ context }) {
    const { roles } = await context.client.ensureQueryData(queries.me)
    throw redirect({ to: homeOf(roles), replace: true })
  },
})

const worklist = createRoute({
  getParentRoute: () => staff,
  path: '/worklist',
  validateSearch: (raw: Raw): WorklistSearch => textOf(raw, 'task'),
  loader: ({ context }) => loadWorklist(context.client),
  component: WorklistPage,
})

const subject = createRoute({
  getParentRoute: () => staff,
  path: '/subjects/$id',
  validateSearch: (raw: Raw): SubjectSearch => ({
    ...textOf(raw, 'signal'),
    ...textOf(raw, 'panel'),
    ...(typeof raw.hours === 'number' && raw.hours > 0 ? { hours: raw.hours } : {}),
    ...(typeof raw.from === 'number' && typeof raw.to === 'number' && raw.to > raw.from
      ? { from: raw.from, to: raw.to }
      : {}),
  }),
  loader: async ({ context, params }) => (await pages.subject()).loadSubject(context.client, params.id),
  component: lazyRouteComponent(pages.subject, 'SubjectPage'),
})

const record = createRoute({
  getParentRoute: () => staff,
  path: '/subjects/$id/record',
  validateSearch: (raw: Raw): RecordSearch => ({
    ...textOf(raw, 'measure'),
    ...(typeof raw.days === 'number' && raw.days >= 1 && raw.days <= 366 ? { days: raw.days } : {}),
  }),
  loader: async ({ context, params }) => (await pages.record()).loadRecord(context.client, params.id),
  component: lazyRouteComponent(pages.record, 'RecordPage'),
})

const consents = createRoute({
  getParentRoute: () => staff,
  path: '/subjects/$id/consents',
  component: lazyRouteComponent(pages.consents, 'ConsentSummaryPage'),
})

const board = createRoute({
  getParentRoute: () => staff,
  path: '/board',
  validateSearch: (raw: Raw): BoardSearch => ({
    ...textOf(raw, 'site'),
    ...textOf(raw, 'task'),
    ...(raw.wall === true ? { wall: true } : {}),
  }),
  loader: async ({ context }) => (await pages.board()).loadBoard(context.client),
  component: lazyRouteComponent(pages.board, 'BoardPage'),
})

const subjectKinds = ['patient', 'asset', 'location'] as const

const subjects = createRoute({
  getParentRoute: () => staff,
  path: '/subjects',
  validateSearch: (raw: Raw): SubjectsSearch => {
    const kind = subjectKinds.find((each) => each === raw.kind)
    return { ...textOf(raw, 'panel'), ...(kind === undefined ? {} : { kind }) }
  },
  loaderDeps: ({ search: { kind } }) => (kind === undefined ? {} : { kind }),
  loader: async ({ context, deps }) => (await pages.subjects()).loadSubjects(context.client, deps),
  component: lazyRouteComponent(pages.subjects, 'SubjectsPage'),
})

const programs = createRoute({
  getParentRoute: () => staff,
  path: '/programs',
  loader: async ({ context }) => (await pages.programs()).loadPrograms(context.client),
  component: lazyRouteComponent(pages.programs, 'ProgramsPage'),
})

const program = createRoute({
  getParentRoute: () => staff,
  path: '/programs/$code',
  validateSearch: (raw: Raw): ProgramSearch => textOf(raw, 'panel'),
  loader: async ({ context }) => (await pages.programs()).loadPrograms(context.client),
  component: lazyRouteComponent(pages.program, 'ProgramPage'),
})

const devices = createRoute({
  getParentRoute: () => staff,
  path: '/devices',
  validateSearch: (raw: Raw): DevicesSearch => {
    const state = deviceStates.find((each) => each === raw.state)
    return { ...textOf(raw, 'panel'), ...(state === undefined ? {} : { state }) }
  },
  loader: async ({ context }) => (await pages.devices()).loadDevices(context.client),
  component: lazyRouteComponent(pages.devices, 'DevicesPage'),
})

const device = createRoute({
  getParentRoute: () => staff,
  path: '/devices/$id',
  validateSearch: (raw: Raw): DeviceSearch => textOf(raw, 'panel'),
  loader: async ({ context, params }) => (await pages.device()).loadDevice(context.client, params.id),
  component: lazyRouteComponent(pages.device, 'DevicePage'),
})

const quarantine = createRoute({
  getParentRoute: () => staff,
  path: '/quarantine',
  validateSearch: (raw: Raw): QuarantineSearch => ({
    ...textOf(raw, 'reason'),
    ...textOf(raw, 'frame'),
    ...statusOf(raw.status),
  }),
  loaderDeps: ({ search }) => search,
  loader: async ({ context, deps }) => (await pages.quarantine()).loadQuarantine(context.client, deps),
  component: lazyRouteComponent(pages.quarantine, 'QuarantinePage'),
})

const erasure = createRoute({
  getParentRoute: () => staff,
  path: '/erasure',
  validateSearch: (raw: Raw): ErasureSearch => textOf(raw, 'subject'),
  loaderDeps: ({ search }) => search,
  loader: async ({ context, deps }) => (await pages.erasure()).loadErasure(context.client, deps),
  component: lazyRouteComponent(pages.erasure, 'ErasurePage'),
})

const account = createRoute({
  getParentRoute: () => staff,
  path: '/account',
  loader: async ({ context }) => (await pages.account()).loadAccount(context.client),
  component: lazyRouteComponent(pages.account, 'AccountPage'),
})

const systemHealth = createRoute({
  getParentRoute: () => staff,
  path: '/system',
  loader: async ({ context }) => (await pages.systemHealth()).loadSystemHealth(context.client),
  component: lazyRouteComponent(pages.systemHealth, 'SystemHealthPage'),
})

const developers = createRoute({
  getParentRoute: () => staff,
  path: '/developers',
  validateSearch: (raw: Raw): DevelopersSearch => {
    const view = developerViews.find((each) => each === raw.view)
    return view === undefined ? {} : { view }
  },
  loader: async ({ context }) => (await pages.developers()).loadDevelopers(context.client),
  component: lazyRouteComponent(pages.developers, 'DevelopersPage'),
})

const displays = createRoute({
  getParentRoute: () => staff,
  path: '/board/screens',
  loader: async ({ context }) => (await pages.displays()).loadDisplays(context.client),
  component: lazyRouteComponent(pages.displays, 'DisplaysPage'),
})

const reviews = createRoute({
  getParentRoute: () => staff,
  path: '/reviews',
  validateSearch: (raw: Raw): ReviewsSearch => ({
    ...textOf(raw, 'review'),
    ...(raw.closed === true ? { closed: true } : {}),
  }),
  loaderDeps: ({ search: { closed } }) => ({ closed }),
  loader: async ({ context, deps }) => (await pages.reviews()).loadReviews(context.client, deps.closed === true),
  component: lazyRouteComponent(pages.reviews, 'ReviewsPage'),
})

const audit = createRoute({
  getParentRoute: () => staff,
  path: '/audit',
  validateSearch: (raw: Raw): AuditSearchParams => {
    const view = views.find((each) => each === raw.view)
    return view === undefined ? {} : { view }
  },
  loader: async ({ context }) => (await pages.audit()).loadAudit(context.client),
  component: lazyRouteComponent(pages.audit, 'AuditPage'),
})

const breaches = createRoute({
  getParentRoute: () => staff,
  path: '/breaches',
  validateSearch: (raw: Raw): BreachesSearch => textOf(raw, 'breach'),
  loader: async ({ context }) => (await pages.breaches()).loadBreaches(context.client),
  component: lazyRouteComponent(pages.breaches, 'BreachesPage'),
})

const people = createRoute({
  getParentRoute: () => staff,
  path: '/people',
  loader: async ({ context }) => (await pages.people()).loadPeople(context.client),
  component: lazyRouteComponent(pages.people, 'PeoplePage'),
})

const identityProvider = createRoute({
  getParentRoute: () => staff,
  path: '/identity-provider',
  validateSearch: (raw: Raw): IdentityProviderSearch => ({
    ...textOf(raw, 'tried'),
    ...textOf(raw, 'mfa'),
    ...textOf(raw, 'failed'),
  }),
  component: lazyRouteComponent(pages.identityProvider, 'IdentityProviderPage'),
})

function statusOf(raw: unknown): Pick<QuarantineSearch, 'status'> {
  const status = statuses.find((each) => each === raw)
  return status === undefined ? {} : { status }
}

const routeTree = root.addChildren([
  signIn,
  setUp,
  invitation,
  activate,
  person,
  personAccount,
  secondFactor,
  newPassword,
  proved,
  display,
  authorize,
  staff.addChildren([
    apps,
    audit,
    breaches,
    displays,
    systemHealth,
    developers,
    reviews,
    erasure,
    account,
    people,
    identityProvider,
    home,
    worklist,
    subject,
    record,
    consents,
    board,
    subjects,
    programs,
    program,
    devices,
    device,
    quarantine,
  ]),
])

export const makeRouter = (client: QueryClient) =>
  createRouter({
    ...{ routeTree, context: { client }, defaultPreload: false, scrollRestoration: true },
    defaultErrorComponent: PageFailed,
  })

/** In the page's place; what stands around it stays. */
function PageFailed({ error }: { error: unknown }) {
  const router = useRouter()
  return (
    <Failed
      what="This page cannot be shown"
      error={error instanceof Error ? error : new Error(String(error))}
      {...(error instanceof PageNotLoaded ? { still: 'Pages that were open before still work.' } : {})}
      onRetry={() => void router.invalidate()}
    />
  )
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}
