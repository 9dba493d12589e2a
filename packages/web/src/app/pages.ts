/**
 * Pages whose code is loaded when they are first opened. Signing in and the worklist are in what is loaded first: who is called at
 * night waits for nothing else.
 */

const code = {
  account: () => import('../pages/account/page.tsx'),
  apps: () => import('../pages/apps/page.tsx'),
  authorize: () => import('../pages/authorize/page.tsx'),
  audit: () => import('../pages/audit/page.tsx'),
  breaches: () => import('../pages/breaches/page.tsx'),
  board: () => import('../pages/board/page.tsx'),
  display: () => import('../pages/displays/display-page.tsx'),
  displays: () => import('../pages/displays/page.tsx'),
  consents: () => import('../pages/consent/summary.tsx'),
  developers: () => import('../pages/developers/page.tsx'),
  device: () => import('../pages/devices/device-page.tsx'),
  devices: () => import('../pages/devices/page.tsx'),
  activate: () => import('../pages/activate.tsx'),
  erasure: () => import('../pages/erasure/page.tsx'),
  identityProvider: () => import('../pages/identity-provider/page.tsx'),
  invitation: () => import('../pages/invitation.tsx'),
  person: () => import('../pages/person/page.tsx'),
  personAccount: () => import('../pages/person/account-page.tsx'),
  newPassword: () => import('../pages/account/new-password-page.tsx'),
  people: () => import('../pages/people/page.tsx'),
  program: () => import('../pages/programs/program-page.tsx'),
  programs: () => import('../pages/programs/page.tsx'),
  proved: () => import('../pages/proved.tsx'),
  record: () => import('../pages/record/page.tsx'),
  quarantine: () => import('../pages/quarantine/page.tsx'),
  reviews: () => import('../pages/reviews/page.tsx'),
  secondFactor: () => import('../pages/account/second-factor-page.tsx'),
  setUp: () => import('../pages/set-up.tsx'),
  subject: () => import('../pages/subject/page.tsx'),
  subjects: () => import('../pages/subjects/page.tsx'),
  systemHealth: () => import('../pages/system-health/page.tsx'),
}

export const pages = Object.fromEntries(
  Object.entries(code).map(([name, load]) => [name, () => orRenewed(load)]),
) as typeof code

/** The code of a page could not be loaded: the server is away, or has no such file although it was not renewed. */
export class PageNotLoaded extends Error {
  constructor(cause: unknown) {
    super('The code of this page could not be loaded.', { cause })
  }
}

/** After an upgrade the files that this document knows are gone: it is loaded anew, once, at the address that was asked for. */
async function orRenewed(load: () => Promise<unknown>): Promise<unknown> {
  try {
    return await load()
  } catch (error) {
    if (!(await isRenewed())) throw new PageNotLoaded(error)
    location.reload()
    return new Promise<never>(() => {})
  }
}

/** Whether the server has other pages now than this document is of. A document of its own is never renewed, so this ends. */
async function isRenewed(): Promise<boolean> {
  const own = document.querySelector('script[type="module"][src]')?.getAttribute('src')
  if (typeof own !== 'string') return false
  const served = await fetch('/', { cache: 'no-store' }).catch(() => undefined)
  return served?.ok === true && !(await served.text()).includes(own)
}

/**
 * Loads the rest while nothing else is to do, one after the other: pages then open at once, also when the connection is lost
 * meanwhile. What fails is loaded when it is opened: a document is not loaded anew behind somebody's back.
 */
export function loadAhead(): () => void {
  let isOver = false
  const run = async () => {
    for (const load of Object.values(code)) if (!isOver) await load().catch(() => {})
  }
  const timer = setTimeout(() => void run(), 4_000)
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
