/** Who comes in, and how the door closes by itself: second factor, people, lock screen. Steps of one story, in order. */
import { currentCode } from '@careloop/platform'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findings, launch, look, openPage, seen, textOf, type Watched } from './browser.ts'
import { type Ground, startGround } from './clinic.ts'
import { type App, enrolInBrowser, scanAndConfirm } from './second-factor.ts'
import { goTo, stepsInOrder } from './story.ts'

let ground: Ground
let browser: Browser
let ada: Watched
let nora: Watched
let app: App = { secret: '', backupCodes: [] }
let nurse = { password: '', subject: '' }

const adaPassword = 'seven lanterns on the quay'

beforeAll(async () => {
  ;[ground, browser] = await Promise.all([startGround(), launch()])
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await ground?.close()
})

stepsInOrder()

async function givePassword(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel(/^Password/).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

const menu = async ({ page }: Watched, person: string, item: string) => {
  await page.getByRole('button', { name: person }).click()
  await page.getByRole('menuitem', { name: item }).click()
}

describe('the door', { timeout: 120_000 }, () => {
  test('the first administrator sets up a second factor before anything else opens', async () => {
    ada = await openPage(browser, ground.url)
    const { page } = ada
    const token = await ground.platform.rooms.identity.offerSetup()
    await page.goto(`${ground.url}/setup#token=${token}`)
    await page.getByLabel('Organisation').fill('St. Anna')
    await page.getByLabel('Your name').fill('Ada Admin')
    await page.getByLabel('E-mail').fill('ada@clinic.example')
    await page.getByLabel(/^Password/).fill(adaPassword)
    await page.getByRole('button', { name: 'Set up' }).click()
    await seen(page, 'heading', 'Set up your second factor')
    await page.goto(`${ground.url}/people`)
    await seen(page, 'heading', 'Set up your second factor')
    expect(await findings(page)).toEqual([])
    app = await enrolInBrowser(page, async (step) => {
      expect(await findings(page)).toEqual([])
      expect(await look(page, `second-factor-${step}`)).toEqual([])
    })
    await seen(page, 'heading', 'People')
    expect(new URL(page.url()).pathname).toBe('/people')
    expect(ada.faults).toEqual([])
  })

  test('signing in again takes the password and a code; a wrong code is told', async () => {
    const { page } = ada
    await menu(ada, 'Ada Admin', 'Sign out')
    await givePassword(page, 'ada@clinic.example', adaPassword)
    await seen(page, 'heading', 'Second step')
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'second-step')).toEqual([])
    await page.getByLabel('Code').fill('000000')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').filter({ hasText: 'This code is not right' }).waitFor()
    // The code of enrolment was used: the next one is right already.
    await page.getByLabel('Code').fill(currentCode(app.secret, Date.now(), 1))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await seen(page, 'navigation', 'Pages')
  })

  test('the administrator adds a nurse, whose password is shown once', async () => {
    const { page } = ada
    await goTo(page, 'People')
    await seen(page, 'heading', 'People')
    await page.getByRole('button', { name: 'Add with a password' }).click()
    const dialog = page.getByRole('dialog', { name: 'Add somebody' })
    await dialog.getByLabel('Name').fill('Nora Nurse')
    await dialog.getByLabel('E-mail').fill('nora@clinic.example')
    await dialog.getByText('Choose at least one role.').waitFor()
    await dialog.getByLabel('nurse', { exact: true }).check()
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'people-add')).toEqual([])
    await dialog.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByText('Hand this password over').waitFor()
    nurse = { ...nurse, password: await page.getByRole('dialog').locator('code').innerText() }
    await page.getByRole('button', { name: 'Done' }).click()
    const row = page.getByRole('listitem').filter({ hasText: 'Nora Nurse' })
    expect(await textOf(row)).toMatch(/nora@clinic\.example[\s\S]*nurse[\s\S]*No second factor/)
    expect(await page.content()).not.toContain(nurse.password)
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'people')).toEqual([])
    expect(ada.faults).toEqual([])
  })

  test('the nurse sees a patient; her account page tells where she is signed in', async () => {
    const { identity, subjects } = ground.platform.rooms
    const by = { tenant: await identity.findTenant('St. Anna'), actor: 'cli' }
    const { id } = await subjects.create(by, {
      timeZone: 'Europe/Vienna',
      resource: { resourceType: 'Patient', name: [{ family: 'Álvarez', given: ['Maria'] }] },
    })
    nurse = { ...nurse, subject: id }
    nora = await openPage(browser, ground.url)
    const { page } = nora
    await page.goto(`${ground.url}/subjects/${id}`)
    await givePassword(page, 'nora@clinic.example', nurse.password)
    // Whoever handed the password over knows it: nothing opens before it is her own.
    await seen(page, 'heading', 'Choose your own password')
    await page.goto(`${ground.url}/subjects/${id}`)
    await seen(page, 'heading', 'Choose your own password')
    await page.getByLabel(/^New password/).fill('nora nurse 1')
    await page.getByText('Long enough.').waitFor()
    await page.getByRole('button', { name: 'Keep this password' }).click()
    await page.getByText('This is mostly your name').waitFor()
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'new-password')).toEqual([])
    nurse = { ...nurse, password: 'nine kites above the harbour' }
    await page.getByLabel(/^New password/).fill(nurse.password)
    await page.getByRole('button', { name: 'Keep this password' }).click()
    await seen(page, 'heading', /Álvarez/)
    await menu(nora, 'Nora Nurse', 'Your account')
    await seen(page, 'heading', 'Where you are signed in')
    await page.getByText('this one').waitFor()
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'account')).toEqual([])
    expect(await page.getByRole('link', { name: 'People' }).count()).toBe(0)
  })

  test('locking hides the patient in every tab, and the server refuses; the password brings her back to where she was', async () => {
    const { page, context } = nora
    const other = await context.newPage()
    await other.goto(`${ground.url}/subjects/${nurse.subject}`)
    await seen(other, 'heading', /Álvarez/)
    await page.goto(`${ground.url}/subjects/${nurse.subject}?hours=48`)
    await seen(page, 'heading', /Álvarez/)
    await menu(nora, 'Nora Nurse', 'Lock the screen')
    for (const each of [page, other]) {
      await seen(each, 'heading', 'Locked')
      expect(await each.content()).not.toContain('lvarez')
    }
    expect((await context.request.get(`${ground.url}/api/v1/me`)).status()).toBe(423)
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'locked')).toEqual([])
    await page.reload()
    await seen(page, 'heading', 'Locked')
    await page.getByLabel(/^Password/).fill('not the password')
    await page.getByRole('button', { name: 'Unlock' }).click()
    await page.getByRole('alert').filter({ hasText: 'The password is wrong' }).waitFor()
    await page.getByLabel(/^Password/).fill(nurse.password)
    await page.getByRole('button', { name: 'Unlock' }).click()
    for (const each of [page, other]) await seen(each, 'heading', /Álvarez/)
    expect(new URL(page.url()).search).toBe('?hours=48')
    await seen(page, 'status', 'Live')
    await other.close()
  })

  test('a desk that nobody is at locks by itself, however much the page asks meanwhile', async () => {
    const { page, context } = nora
    await page.clock.install()
    await page.goto(`${ground.url}/subjects/${nurse.subject}`)
    await seen(page, 'heading', /Álvarez/)
    await page.clock.runFor(14 * 60_000)
    await seen(page, 'heading', /Álvarez/)
    await page.clock.runFor(70_000)
    await seen(page, 'heading', 'Locked')
    expect(await page.content()).not.toContain('lvarez')
    expect((await context.request.get(`${ground.url}/api/v1/me`)).status()).toBe(423)
    expect(nora.faults).toEqual([])
    await page.getByRole('button', { name: 'Sign in as somebody else' }).click()
    await seen(page, 'heading', 'Sign in')
    await nora.context.close()
  })

  test('backup codes are renewed by one of them', async () => {
    const { page } = ada
    await menu(ada, 'Ada Admin', 'Your account')
    await page.getByText('10 backup codes left. Your role needs a second factor.').waitFor()
    expect(await page.getByRole('button', { name: 'Give it up' }).count()).toBe(0)
    await page.getByRole('button', { name: 'New backup codes' }).click()
    const dialog = page.getByRole('dialog', { name: 'New backup codes' })
    await dialog.getByLabel(/Code of the app/).fill('AAAAA-AAAAA')
    await dialog.getByRole('button', { name: 'Go on' }).click()
    await dialog.getByText('This code is not right').waitFor()
    await dialog.getByLabel(/Code of the app/).fill(app.backupCodes[0]!)
    await dialog.getByRole('button', { name: 'Go on' }).click()
    const list = dialog.getByRole('list', { name: 'Backup codes' })
    await list.waitFor()
    app = { ...app, backupCodes: await list.getByRole('listitem').allInnerTexts() }
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'account-codes')).toEqual([])
    await dialog.getByLabel('I have kept them in a safe place').check()
    await dialog.getByRole('button', { name: 'Go on' }).click()
    await page.getByText('10 backup codes left').waitFor()
  })

  test('a nurse sets up an app of her own free will; the administrator takes it off when the telephone is lost', async () => {
    nora = await openPage(browser, ground.url)
    const { page } = nora
    await page.goto(`${ground.url}/account`)
    await givePassword(page, 'nora@clinic.example', nurse.password)
    await page.getByRole('button', { name: 'Set up an app' }).click()
    const dialog = page.getByRole('dialog', { name: 'Set up an authenticator app' })
    await dialog.getByLabel(/^Password/).fill(nurse.password)
    await dialog.getByRole('button', { name: 'Go on' }).click()
    await scanAndConfirm(page)
    await page.getByText('On: sign-in asks for a code of your app. 10 backup codes left.').waitFor()
    await page.getByText('this one').waitFor()

    await goTo(ada.page, 'People')
    const row = ada.page.getByRole('listitem').filter({ hasText: 'Nora Nurse' })
    await row.getByText('Second factor on').waitFor()
    await row.getByRole('button', { name: 'Change the account of Nora Nurse' }).click()
    await ada.page.getByRole('menuitem', { name: 'Reset the second factor' }).click()
    const confirm = ada.page.getByRole('dialog', { name: 'Reset the second factor of Nora Nurse' })
    expect(await findings(ada.page)).toEqual([])
    // Her last proof is long ago: she is asked once more, may think better of it, and the act waits for her.
    await ground.platform.rooms.engine.db.pool.query(`update auth.session set proved_at = now() - interval '1 hour'`)
    await confirm.getByRole('button', { name: 'Reset', exact: true }).click()
    const again = ada.page.getByRole('dialog', { name: 'Show that it is you' })
    await again.getByLabel(/Code of your authenticator app/).waitFor()
    expect(await findings(ada.page)).toEqual([])
    expect(await look(ada.page, 'step-up')).toEqual([])
    await ada.page.keyboard.press('Escape')
    await again.waitFor({ state: 'hidden' })
    await confirm.getByRole('alert').filter({ hasText: 'Show again that it is you' }).waitFor()
    await confirm.getByRole('button', { name: 'Reset', exact: true }).click()
    // A code of the app opens once, and that of the next half minute was used to sign in: a quick machine has no other yet.
    await again.getByLabel(/Code of your authenticator app/).fill(app.backupCodes[0]!)
    await again.getByRole('button', { name: 'Go on' }).click()
    await row.getByText('No second factor').waitFor()
    await page.reload()
    await givePassword(page, 'nora@clinic.example', nurse.password)
    await seen(page, 'heading', 'Your account')
    await page.getByText('Off. With it').waitFor()
    expect([...ada.faults, ...nora.faults]).toEqual([])
  })

  test('who could not be signed out is told; who was is gone from every tab', async () => {
    const { page, context } = nora
    await page.goto(`${ground.url}/subjects/${nurse.subject}`)
    const other = await context.newPage()
    await other.goto(`${ground.url}/subjects/${nurse.subject}`)
    for (const each of [page, other]) await seen(each, 'heading', /Álvarez/)
    await page.route('**/api/auth/sign-out', (route) => route.abort('connectionrefused'))
    await menu(nora, 'Nora Nurse', 'Sign out')
    await page.getByText('You are still signed in.').waitFor()
    await page.unroute('**/api/auth/sign-out')
    await menu(nora, 'Nora Nurse', 'Sign out')
    await seen(page, 'heading', 'Sign in')
    await seen(other, 'heading', 'Locked')
    for (const each of [page, other]) expect(await each.content()).not.toContain('lvarez')
    expect((await context.request.get(`${ground.url}/api/v1/me`)).status()).toBe(401)
  })
})
