/**
 * Before a grave act, somebody who came by their organisation's sign-in and has no second factor here shows there again who they are,
 * in a tab of its own, and goes on where they were.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  client,
  realProvider,
  type TestProvider,
} from '../../packages/platform/src/identity/testing/identity-provider.ts'
import { findings, launch, look, openPage, seen, type Watched } from './browser.ts'
import { type Ground, startGround } from './clinic.ts'
import { goTo } from './story.ts'

let ground: Ground
let browser: Browser
let provider: TestProvider
let hanna: Watched

const head = {
  ...{ sub: 'hanna-1', email: 'hanna@clinic.example', emailVerified: true, name: 'Hanna Head' },
  groups: ['it'],
}

beforeAll(async () => {
  ;[ground, browser] = await Promise.all([startGround({ CARELOOP_ALLOW_PRIVATE_URLS: '127.0.0.0/8' }), launch()])
  const { identity } = ground.platform.rooms
  const slug = 'st-anna'
  provider = await realProvider(
    `${ground.url}/api/auth/sso/${slug}/callback`,
    `${ground.url}/api/auth/sso/${slug}/logout`,
    head,
  )
  const settings = {
    ...{ slug, name: 'St. Anna', issuer: provider.issuer, clientId: client.id, clientSecret: client.secret },
    ...{ groupsClaim: 'groups', emailDomains: [], linkExisting: false, mfaAcr: ['two-factors'], mfaAmr: [] },
    ...{ isEnabled: true, roleMap: [{ group: 'it', roles: ['administrator' as const] }] },
  }
  await identity.sso.save(await identity.createTenant('St. Anna'), settings, { actor: 'cli' })
  hanna = await openPage(browser, ground.url)
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await provider?.close()
  await ground?.close()
})

test('step-up > who has a second factor at the provider only shows it there in a new tab, and the act goes on', async () => {
  const { page, context } = hanna
  await page.goto(ground.url)
  await page.getByRole('link', { name: 'Sign in with St. Anna' }).click()
  await seen(page, 'button', 'Hanna Head')
  await ground.platform.rooms.engine.db.pool.query(`update auth.session set proved_at = now() - interval '1 hour'`)
  await goTo(page, 'People')
  await page.getByRole('button', { name: 'Invite somebody' }).click()
  const form = page.getByRole('dialog', { name: /Invite/ })
  await form.getByLabel('E-mail').fill('nina@clinic.example')
  await form.getByLabel('Nurse').check()
  await form.getByRole('button', { name: 'Invite', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'A second factor is needed' })
  await dialog.getByRole('link', { name: 'Show it at St. Anna' }).waitFor()
  expect(await findings(page)).toEqual([])
  expect(await look(page, 'prove-at-provider')).toEqual([])
  await dialog.getByRole('link', { name: 'Show it at St. Anna' }).click()
  // The tab that comes back from elsewhere is another one to whoever drives the browser: it is isolated from the one that opened it.
  const tab = await vi.waitFor(
    () => context.pages().find((each) => each.url().includes('/proved')) ?? Promise.reject(new Error('not back yet')),
    { timeout: 30_000 },
  )
  await seen(tab, 'heading', 'It is you')
  expect(await tab.evaluate('window.opener')).toBeNull()
  expect(await findings(tab)).toEqual([])
  await tab.close()
  await dialog.getByRole('button', { name: 'I have shown it: go on' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('list', { name: 'Invited' }).getByText('nina@clinic.example').waitFor()
  expect(hanna.faults.filter((fault) => !fault.startsWith(`asked elsewhere: ${provider.issuer}/`))).toEqual([])
}, 120_000)
