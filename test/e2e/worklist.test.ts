/**
 * The main job in a browser: a reading becomes a task on the page of the person it belongs to, who sees why, takes it and says
 * what was done. Steps of one story, in order.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findings, launch, look, openPage, seen, textOf, type Watched } from './browser.ts'
import { type Clinic, type Ground, openClinic, type Person, startGround } from './clinic.ts'
import { enrolInBrowser } from './second-factor.ts'
import { stepsInOrder } from './story.ts'

let ground: Ground
let browser: Browser
let clinic: Clinic
let nora: Watched
let carl: Watched
let bea: Watched
let tenant = ''

beforeAll(async () => {
  ;[ground, browser] = await Promise.all([startGround(), launch()])
}, 120_000)

afterAll(async () => {
  await clinic?.cuff.endAsync(true)
  await browser?.close()
  await ground?.close()
})

stepsInOrder()

async function signIn({ page }: Watched, { email, password }: Person): Promise<void> {
  await page.goto(`${ground.url}/`)
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel(/^Password/).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  // Whichever page opens for the role.
  await seen(page, 'navigation', 'Pages')
}

/** A value that a reload would wipe. */
const mark = (watched: Watched) => watched.page.evaluate('window.sameDocument = true')
const isSameDocument = (watched: Watched) => watched.page.evaluate<boolean>('window.sameDocument === true')

describe('from a reading to a closed task', { timeout: 120_000 }, () => {
  test('the first administrator opens the printed link and is in', async () => {
    const { page, context, faults } = await openPage(browser, ground.url)
    const token = await ground.platform.rooms.identity.offerSetup()
    await page.goto(`${ground.url}/setup#token=${token}`)
    await page.getByLabel('Organisation').fill('St. Anna')
    await page.getByLabel('Your name').fill('Ada Admin')
    await page.getByLabel('E-mail').fill('ada@clinic.example')
    await page.getByLabel(/^Password/).fill('seven lanterns on the quay')
    expect(new URL(page.url()).hash).toBe('')
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'Set up' }).click()
    await enrolInBrowser(page)
    await seen(page, 'heading', 'No devices yet')
    expect(await findings(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
    tenant = await ground.platform.rooms.identity.findTenant('St. Anna')
    clinic = await openClinic(ground, tenant)
  })

  test('a nurse signs in after one wrong password and sees an empty worklist that is live', async () => {
    ;[nora, carl, bea] = [
      await openPage(browser, ground.url),
      await openPage(browser, ground.url),
      await openPage(browser, ground.url),
    ]
    await nora.page.goto(`${ground.url}/worklist`)
    await nora.page.getByLabel('E-mail').fill(clinic.nurse.email)
    await nora.page.getByLabel(/^Password/).fill('not the password')
    await nora.page.getByRole('button', { name: 'Sign in' }).click()
    await nora.page.getByRole('alert').filter({ hasText: 'E-mail or password is wrong' }).waitFor()
    expect(await findings(nora.page)).toEqual([])
    expect(await look(nora.page, 'sign-in')).toEqual([])
    await signIn(nora, clinic.nurse)
    await signIn(carl, clinic.colleague)
    for (const watched of [nora, carl]) {
      await seen(watched.page, 'heading', 'Nothing needs you now')
      await seen(watched.page, 'status', 'Live')
      await mark(watched)
    }
  })

  test('a reading over MQTT appears as a task without a reload', async () => {
    const cuff = (readings: readonly object[]) =>
      clinic.cuff.publishAsync('devices/cuff-1/telemetry', JSON.stringify(readings), { qos: 1 })
    await cuff([{ ts: Date.now() - 4 * 60_000, values: { systolic: 128, diastolic: 82, 'pulse-rate': 78 } }])
    // A crisis counts once it was repeated after a minute.
    await cuff([
      { ts: Date.now() - 2 * 60_000, values: { systolic: 191, diastolic: 123, 'pulse-rate': 97 } },
      { values: { systolic: 192, diastolic: 124, 'pulse-rate': 96 } },
    ])
    const mine = nora.page.getByRole('region', { name: /^Mine/ })
    const row = mine.getByRole('link', { name: /Álvarez, Maria/ })
    await row.waitFor()
    const words = await textOf(row)
    expect(words).toContain('BP 192/124 mmHg')
    expect(words).toMatch(/just now|\d+ s ago/)
    expect(words).toMatch(/(29|30) min left/)
    expect(words).toContain('You not claimed')
    expect(await nora.page.title()).toBe('(1) Worklist · Careloop')
    await carl.page
      .getByRole('region', { name: /^My team/ })
      .getByRole('link', { name: /Álvarez, Maria/ })
      .waitFor()
    expect([await isSameDocument(nora), await isSameDocument(carl)]).toEqual([true, true])
  })

  test('a mosquitto_pub line of the refrigerator logger makes a task of somebody else, below hers', async () => {
    await clinic.logger({ 'temperature-probe': -0.6 })
    await nora.page
      .getByRole('region', { name: /^Others/ })
      .getByRole('link', { name: /Vaccine refrigerator 2/ })
      .waitFor()
    const headings = await nora.page.getByRole('heading', { level: 2 }).allInnerTexts()
    expect(headings.map((each) => each.split(' ·')[0])).toEqual(['Mine', 'Others'])
    expect(await findings(nora.page)).toEqual([])
    expect(await look(nora.page, 'list')).toEqual([])
  })

  test('explain shows the sentence, the readings with their unit, the limits, the rule with version and owner', async () => {
    const { page } = nora
    await page.keyboard.press('j')
    await seen(page, 'heading', 'The readings that raised it')
    const pane = page.getByRole('complementary', { name: 'Why this task exists' })
    expect(await textOf(pane)).toContain('at or above 180/120')
    const table = pane.getByRole('table', { name: 'Readings, newest first' })
    expect(await textOf(table.getByRole('row', { name: /Systolic/ }).first())).toContain('192 mmHg')
    expect(await textOf(table.getByRole('row', { name: /Diastolic/ }).first())).toContain('124 mmHg')
    await pane.getByRole('img', { name: /Systolic.* in mmHg with the rule's limits/ }).waitFor()
    const rule = await textOf(pane.getByRole('region', { name: 'The rule' }))
    expect(rule).toContain('Blood pressure severely high, version 1')
    expect(rule).toMatch(/nurse, backup physician/)
    expect(await pane.getByRole('checkbox').count()).toBe(4)
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'worklist')).toEqual([])
  })

  test('the chart is read out by keyboard', async () => {
    const chart = nora.page.getByRole('img', { name: /with the rule's limits/ })
    await chart.focus()
    await nora.page.keyboard.press('ArrowRight')
    await nora.page.getByRole('figure').filter({ hasText: '192/124 mmHg at' }).waitFor()
  })

  test('she claims it by one key, and her colleague sees at once who has it', async () => {
    await carl.page.getByRole('link', { name: /Álvarez, Maria/ }).click()
    await carl.page.getByRole('button', { name: 'Claim' }).waitFor()
    await nora.page.keyboard.press('c')
    await nora.page.getByText('You have it.').waitFor()
    await carl.page.getByRole('link', { name: /Álvarez, Maria.*Nora Nurse has it/s }).waitFor()
    await carl.page
      .getByRole('status')
      .filter({ hasText: /^Nora Nurse has this since (\d+ \w+ )?\d\d:\d\d\.$/ })
      .waitFor()
    expect(await carl.page.getByRole('button', { name: 'Claim' }).isDisabled()).toBe(true)
    expect(await isSameDocument(carl)).toBe(true)
  })

  test('a disposition that needs a reason is not taken without one', async () => {
    const { page } = nora
    await page.getByRole('checkbox').first().check()
    await page.keyboard.press('d')
    const dialog = page.getByRole('dialog', { name: /Complete: Álvarez, Maria/ })
    await dialog.getByRole('button', { name: 'Complete' }).click()
    await dialog.getByText('Choose what was done.').waitFor()
    await dialog.getByLabel(/Reviewed, no action needed/).check()
    await dialog.getByRole('button', { name: 'Complete' }).click()
    await dialog.getByText(/^Say (why|what happens next): /).waitFor()
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'complete')).toEqual([])
  })

  test('completed with a disposition it leaves both lists, and she goes on to the next', async () => {
    const dialog = nora.page.getByRole('dialog')
    await dialog.getByLabel('Spoke with the patient').check()
    await dialog.getByRole('textbox').fill('No symptoms. Measures again in 5 minutes.')
    await dialog.getByRole('button', { name: 'Complete' }).click()
    await nora.page
      .getByRole('status')
      .filter({ hasText: 'Completed for Álvarez, Maria: Spoke with the patient.' })
      .waitFor()
    for (const { page } of [nora, carl])
      await page.getByRole('link', { name: /Álvarez, Maria.*min left/s }).waitFor({ state: 'detached' })
    await seen(nora.page, 'heading', 'Vaccine refrigerator 2')
    // His pane is read again a moment after his list.
    await carl.page.getByRole('complementary').getByText('Completed: Spoke with the patient').waitFor()
    await carl.page
      .getByRole('region', { name: 'What was done' })
      .getByText(/Completed by Nora Nurse/)
      .waitFor()
    expect(await isSameDocument(nora)).toBe(true)
  })

  test('the subject page says each newest value with its unit and age', async () => {
    const { page } = carl
    await page.getByRole('complementary').getByRole('link', { name: 'Álvarez, Maria' }).click()
    const tile = page.getByRole('region', { name: /^Newest values;/ }).getByRole('button', { name: /Blood pressure/ })
    await tile.waitFor()
    expect(await textOf(tile)).toMatch(/192\/124\s+mmHg\s+\d+ (s|min) old/)
    await page.getByRole('img', { name: /over the last/ }).waitFor()
    expect(await page.title()).not.toContain('Maria')
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'subject')).toEqual([])
  })

  test('what cannot be read is in quarantine at once, with how it is built, and is let go with a reason', async () => {
    await signIn(bea, clinic.biomed)
    const { page } = bea
    await page.getByRole('link', { name: 'Quarantine' }).click()
    await seen(page, 'heading', 'Nothing is in quarantine')
    // MQTT 5.0 tells the device so, with its own reason code: payload format invalid.
    const sent = clinic.cuff.publishAsync('devices/cuff-1/telemetry', '{"values":{"mood":7}}', { qos: 1 })
    await expect(sent).rejects.toMatchObject({ code: 0x99 })
    await page.getByRole('cell', { name: 'Unknown signal' }).waitFor()
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'Look' }).click()
    await page.getByRole('button', { name: /Show the 21 bytes/ }).click()
    // A patient wears the cuff: who mends devices sees how the message is built, and none of its values.
    await page.getByRole('region', { name: 'How the message is built' }).getByText('/values/mood').waitFor()
    expect(await textOf(page.getByRole('main'))).not.toContain('"mood":7')
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'quarantine')).toEqual([])
    await page.getByRole('button', { name: 'Replay' }).click()
    await page
      .getByRole('status')
      .filter({ hasText: /profile|signal/ })
      .waitFor()
    await page.getByLabel('Let it go, because').selectOption('It was a test')
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await seen(page, 'heading', 'Nothing is in quarantine')
  })

  test('devices are listed as connected or not', async () => {
    const { page } = bea
    await page.getByRole('link', { name: 'Devices' }).click()
    await page.getByRole('row', { name: /cuff-1.*connected, since.*a person you may not see/ }).waitFor()
    await page.getByRole('row', { name: /fridge-logger-2.*not connected, last came/ }).waitFor()
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'devices')).toEqual([])
  })

  test('a page without the right says why and whom to ask', async () => {
    await nora.page.goto(`${ground.url}/quarantine`)
    await nora.page
      .getByText('Your role (nurse) does not include this. An administrator of St. Anna can change that.')
      .waitFor()
    expect(await textOf(nora.page.getByRole('navigation'))).not.toContain('Quarantine')
  })

  test('signed out, a deep link asks to sign in and comes back to where it pointed', async () => {
    const { page } = bea
    await page.getByRole('button', { name: 'Bea Biomed' }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await seen(page, 'heading', 'Sign in')
    await page.goto(`${ground.url}/quarantine?status=dismissed`)
    await page.getByLabel('E-mail').fill(clinic.biomed.email)
    await page.getByLabel(/^Password/).fill(clinic.biomed.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('cell', { name: 'Unknown signal' }).waitFor()
  })

  test('nothing was asked of others, refused by the policy or thrown', () => {
    expect([...nora.faults, ...carl.faults, ...bea.faults]).toEqual([])
  })

  test('when the server goes away the page says since when, and does not offer what it cannot do', async () => {
    const { page } = carl
    await page.goto(`${ground.url}/worklist`)
    await page.getByRole('link', { name: /Vaccine refrigerator 2/ }).click()
    await page.getByRole('button', { name: 'Claim' }).waitFor()
    await seen(page, 'status', 'Live')
    await clinic.cuff.endAsync(true)
    await ground.close()
    await page
      .getByRole('alert')
      .filter({ hasText: /Not connected since (\d+ \w+ )?\d\d:\d\d:\d\d/ })
      .waitFor()
    expect(await page.getByRole('button', { name: 'Claim' }).isDisabled()).toBe(true)
    await page.getByText('Not connected: acting waits until the connection is back.').waitFor()
    expect(await look(page, 'disconnected')).toEqual([])
  })
})
