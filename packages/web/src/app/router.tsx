/** Every page and where it lives. What a page shows stands in the URL; names and values never do. */
import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, createRouter, Link, Outlet, redirect } from '@tanstack/react-router'
import { ApiError } from '../api/client.ts'
import { queries } from '../api/queries.ts'
import { isSecondFactorNeeded } from '../pages/account/enrol-second-factor.tsx'
import { AccountPage, loadAccount } from '../pages/account/page.tsx'
import { SecondFactorPage, type SecondFactorSearch } from '../pages/account/second-factor-page.tsx'
import { BoardPage, type BoardSearch, loadBoard } from '../pages/board/page.tsx'
import { DevicePage, type DeviceSearch, loadDevice } from '../pages/devices/device-page.tsx'
import { DevicesPage, type DevicesSearch, loadDevices } from '../pages/devices/page.tsx'
import { deviceStates } from '../pages/devices/shown-devices.ts'
import { loadPeople, PeoplePage } from '../pages/people/page.tsx'
import { loadPrograms, ProgramsPage } from '../pages/programs/page.tsx'
import { ProgramPage, type ProgramSearch } from '../pages/programs/program-page.tsx'
import { loadQuarantine, QuarantinePage, type QuarantineSearch, statuses } from '../pages/quarantine/page.tsx'
import { SetUpPage } from '../pages/set-up.tsx'
import { SignInPage, type SignInSearch } from '../pages/sign-in.tsx'
import { loadSubject, SubjectPage, type SubjectSearch } from '../pages/subject/page.tsx'
import { loadSubjects, SubjectsPage, type SubjectsSearch } from '../pages/subjects/page.tsx'
import { loadWorklist, WorklistPage, type WorklistSearch } from '../pages/worklist/page.tsx'
import { Empty, Failed } from '../parts/page-state.tsx'
import { backOf } from './back.ts'
import { homeOf } from './home.ts'
import { showLocked } from './idle.ts'
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
  }),
  component: SignInPage,
})

const setUp = createRoute({ getParentRoute: () => root, path: '/setup', component: SetUpPage })

const secondFactor = createRoute({
  getParentRoute: () => root,
  path: '/second-factor',
  validateSearch: (raw: Raw): SecondFactorSearch => backOf(raw),
  component: SecondFactorPage,
})

const staff = createRoute({
  getParentRoute: () => root,
  id: 'staff',
  async beforeLoad({ context, location }) {
    try {
      await context.client.ensureQueryData(queries.me)
    } catch (error) {
      const back = location.pathname === '/' ? {} : { back: location.href }
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
  loader: ({ context, params }) => loadSubject(context.client, params.id),
  component: SubjectPage,
})

const board = createRoute({
  getParentRoute: () => staff,
  path: '/board',
  validateSearch: (raw: Raw): BoardSearch => ({
    ...textOf(raw, 'site'),
    ...textOf(raw, 'task'),
    ...(raw.wall === true ? { wall: true } : {}),
  }),
  loader: ({ context }) => loadBoard(context.client),
  component: BoardPage,
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
  loader: ({ context, deps }) => loadSubjects(context.client, deps),
  component: SubjectsPage,
})

const programs = createRoute({
  getParentRoute: () => staff,
  path: '/programs',
  loader: ({ context }) => loadPrograms(context.client),
  component: ProgramsPage,
})

const program = createRoute({
  getParentRoute: () => staff,
  path: '/programs/$code',
  validateSearch: (raw: Raw): ProgramSearch => textOf(raw, 'panel'),
  loader: ({ context }) => loadPrograms(context.client),
  component: ProgramPage,
})

const devices = createRoute({
  getParentRoute: () => staff,
  path: '/devices',
  validateSearch: (raw: Raw): DevicesSearch => {
    const state = deviceStates.find((each) => each === raw.state)
    return { ...textOf(raw, 'panel'), ...(state === undefined ? {} : { state }) }
  },
  loader: ({ context }) => loadDevices(context.client),
  component: DevicesPage,
})

const device = createRoute({
  getParentRoute: () => staff,
  path: '/devices/$id',
  validateSearch: (raw: Raw): DeviceSearch => textOf(raw, 'panel'),
  loader: ({ context, params }) => loadDevice(context.client, params.id),
  component: DevicePage,
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
  loader: ({ context, deps }) => loadQuarantine(context.client, deps),
  component: QuarantinePage,
})

const account = createRoute({
  getParentRoute: () => staff,
  path: '/account',
  loader: ({ context }) => loadAccount(context.client),
  component: AccountPage,
})

const people = createRoute({
  getParentRoute: () => staff,
  path: '/people',
  loader: ({ context }) => loadPeople(context.client),
  component: PeoplePage,
})

function statusOf(raw: unknown): Pick<QuarantineSearch, 'status'> {
  const status = statuses.find((each) => each === raw)
  return status === undefined ? {} : { status }
}

const routeTree = root.addChildren([
  signIn,
  setUp,
  secondFactor,
  staff.addChildren([
    account,
    people,
    home,
    worklist,
    subject,
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
  createRouter({ routeTree, context: { client }, defaultPreload: false, scrollRestoration: true })

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}
