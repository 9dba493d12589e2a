/** What the stories of the pages share: steps in order, signing in, and a document that must not have been reloaded. */
import { currentCode } from '@careloop/platform'
import type { Browser, Page } from 'playwright-core'
import { beforeEach, expect, onTestFailed } from 'vitest'
import { findings, look, openPage, type Watched } from './browser.ts'
import type { Person } from './clinic.ts'

/** The tests of the file are steps of one story: after one that failed the later ones could only time out. */
export function stepsInOrder(): void {
  let failed = false
  beforeEach(() => {
    if (failed) throw new Error('an earlier step failed')
    onTestFailed(() => {
      failed = true
    })
  })
}

/** Signed in on the page that opens for the role. */
export async function signedIn(browser: Browser, url: string, { email, password, secret }: Person): Promise<Watched> {
  const watched = await openPage(browser, url)
  await watched.page.goto(`${url}/`)
  await watched.page.getByLabel('E-mail').fill(email)
  await watched.page.getByLabel(/^Password/).fill(password)
  await watched.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  if (secret !== undefined) {
    await watched.page.getByLabel('Code').fill(currentCode(secret, Date.now()))
    await watched.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }
  await watched.page.getByRole('navigation', { name: 'Pages' }).waitFor()
  // A value that a reload would wipe.
  await watched.page.evaluate('window.sameDocument = true')
  return watched
}

/** By the navigation, as everybody may: pages of who has many stand in groups that open. */
export async function goTo(page: Page, name: string): Promise<void> {
  const pages = page.getByRole('navigation', { name: 'Pages' })
  await pages.waitFor()
  const link = pages.getByRole('link', { name, exact: true })
  for (const group of await pages.getByRole('button').all()) {
    if ((await link.count()) > 0) break
    await group.click()
  }
  await link.click()
}

export const isSameDocument = ({ page }: Watched): Promise<boolean> =>
  page.evaluate<boolean>('window.sameDocument === true')

/** Sends as a device over HTTP: `[minutes ago, values]`. */
export async function sendBy(
  url: string,
  token: string,
  told: readonly (readonly [minutesAgo: number, values: Readonly<Record<string, number>>])[],
): Promise<void> {
  const now = Date.now()
  const answer = await fetch(`${url}/api/v1/ingest`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(told.map(([ago, values]) => ({ ts: now - Math.round(ago * 60_000), values }))),
  })
  if (!answer.ok) throw new Error(`refused: ${answer.status} ${await answer.text()}`)
}

/** Nothing for axe to find, at the desk and on a telephone; looked at by people who ask for pictures. */
export async function isGood({ page, faults }: Watched, name: string): Promise<void> {
  expect(await findings(page)).toEqual([])
  expect(await look(page, name)).toEqual([])
  expect(faults).toEqual([])
}
