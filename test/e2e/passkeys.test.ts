/** Passkeys in Chromium with its virtual authenticator: made, used at every door, given up. Steps of one story, in order. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findings, launch, look, openPage, seen, type Watched } from './browser.ts'
import { type Ground, startGround } from './clinic.ts'
import { stepsInOrder } from './story.ts'

let ground: Ground
let browser: Browser
let ada: Watched
let url: string

beforeAll(async () => {
  ;[ground, browser] = await Promise.all([startGround(), launch()])
  // Passkeys are for names: at an address of numbers browsers make none.
  url = ground.url.replace('127.0.0.1', 'localhost')
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await ground?.close()
})

stepsInOrder()

const menu = async (item: string) => {
  await ada.page.getByRole('button', { name: 'Ada Admin' }).click()
  await ada.page.getByRole('menuitem', { name: item }).click()
}
const proofIsOld = () =>
  ground.platform.rooms.engine.db.pool.query(`update auth.session set proved_at = now() - interval '1 hour'`)

describe('passkeys', { timeout: 120_000 }, () => {
  test('the first administrator makes one in place of an app, and everything opens', async () => {
    ada = await openPage(browser, url)
    const { page, context } = ada
    const devtools = await context.newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
        ...{ isUserVerified: true, automaticPresenceSimulation: true },
      },
    })
    const token = await ground.platform.rooms.identity.offerSetup()
    await page.goto(`${url}/setup#token=${token}`)
    await page.getByLabel('Organisation').fill('St. Anna')
    await page.getByLabel('Your name').fill('Ada Admin')
    await page.getByLabel('E-mail').fill('ada@clinic.example')
    await page.getByLabel(/^Password/).fill('seven lanterns on the quay')
    expect(await look(page, 'set-up-password')).toEqual([])
    await page.getByRole('button', { name: 'Set up' }).click()
    await seen(page, 'heading', 'Set up your second factor')
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'second-factor-choice')).toEqual([])
    await page.getByRole('button', { name: 'Make a passkey' }).click()
    await page.getByRole('list', { name: 'Backup codes' }).waitFor()
    await page.getByLabel('I have kept them in a safe place').check()
    await page.getByRole('button', { name: 'Go on' }).click()
    await seen(page, 'button', 'Ada Admin')
    expect(ada.faults).toEqual([])
  })

  test('it signs in alone, without address and password', async () => {
    const { page } = ada
    await menu('Sign out')
    await seen(page, 'heading', 'Sign in')
    expect(await look(page, 'sign-in-passkey')).toEqual([])
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await seen(page, 'button', 'Ada Admin')
  })

  test('it is the second step after the password, and unlocks a locked screen', async () => {
    const { page } = ada
    await menu('Sign out')
    await page.getByLabel('E-mail').fill('ada@clinic.example')
    await page.getByLabel(/^Password/).fill('seven lanterns on the quay')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await seen(page, 'heading', 'Second step')
    expect(await look(page, 'second-step-passkey')).toEqual([])
    await page.getByRole('button', { name: 'Use your passkey' }).click()
    await seen(page, 'button', 'Ada Admin')
    await menu('Lock the screen')
    await seen(page, 'heading', 'Locked')
    expect(await look(page, 'locked-passkey')).toEqual([])
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await seen(page, 'button', 'Ada Admin')
  })

  test('it is shown again before a grave act, which then goes on by itself', async () => {
    const { page } = ada
    await page.goto(`${url}/people`)
    await seen(page, 'heading', 'People')
    await page.getByRole('button', { name: 'Add with a password' }).click()
    const dialog = page.getByRole('dialog', { name: 'Add somebody' })
    await dialog.getByLabel('Name').fill('Nora Nurse')
    await dialog.getByLabel('E-mail').fill('nora@clinic.example')
    await dialog.getByLabel('nurse', { exact: true }).check()
    await proofIsOld()
    await dialog.getByRole('button', { name: 'Add', exact: true }).click()
    const again = page.getByRole('dialog', { name: 'Show that it is you' })
    await again.getByRole('button', { name: 'Use a passkey' }).waitFor()
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'step-up-passkey')).toEqual([])
    await again.getByRole('button', { name: 'Use a passkey' }).click()
    await page.getByText('Hand this password over').waitFor()
    await page.getByRole('button', { name: 'Done' }).click()
  })

  test('it stands in the account by name; the last one of who needs it cannot be given up', async () => {
    const { page } = ada
    await menu('Your account')
    await seen(page, 'heading', 'Passkeys')
    await page.getByRole('button', { name: /^Remove the passkey/ }).waitFor()
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'account-passkeys')).toEqual([])
    await page.getByRole('button', { name: /^Remove the passkey/ }).click()
    const dialog = page.getByRole('dialog', { name: /^Remove/ })
    await dialog.getByLabel(/^Password/).fill('seven lanterns on the quay')
    await dialog.getByRole('button', { name: /in place of a code/ }).click()
    await dialog.getByRole('alert').filter({ hasText: 'Your role needs a second factor' }).waitFor()
    expect(ada.faults).toEqual([])
  })
})
