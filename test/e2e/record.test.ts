/**
 * A reading becomes part of the record: a nurse reads it there by day and as FHIR, an administrator finds in the developer area what
 * another system would be answered. Steps of one story, in order.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findings, launch, seen, type Watched } from './browser.ts'
import { type Clinic, type Ground, openClinic, type Person, startGround, withApp } from './clinic.ts'
import { goTo, isGood, signedIn, stepsInOrder } from './story.ts'

let ground: Ground
let browser: Browser
let clinic: Clinic
let nora: Watched
let ada: Watched
/** Every URL that was asked for. */
const asked: string[] = []

beforeAll(async () => {
  ;[ground, browser] = await Promise.all([startGround(), launch()])
  const { identity } = ground.platform.rooms
  const tenant = await identity.createTenant('St. Anna')
  clinic = await openClinic(ground, tenant)
  const account = { email: 'ada@clinic.example', password: 'nine kites above the quiet pier' }
  const { id } = await identity.createUser({ tenant, displayName: 'Ada Admin', roles: ['administrator'], ...account })
  const admin: Person = await withApp(ground.platform, tenant, { id, name: 'Ada Admin', ...account })
  ;[nora, ada] = (await Promise.all([clinic.nurse, admin].map((each) => signedIn(browser, ground.url, each)))) as [
    Watched,
    Watched,
  ]
  for (const { page } of [nora, ada]) page.on('request', (request) => asked.push(request.url()))
}, 120_000)

afterAll(async () => {
  await clinic?.cuff.endAsync(true)
  await browser?.close()
  await ground?.close()
})

stepsInOrder()

describe('the record', { timeout: 120_000 }, () => {
  test('a cuff’s reading stands in the patient’s record by day, as one blood pressure', async () => {
    const ts = Date.now() - 240_000
    const values = { systolic: 142, diastolic: 91, 'pulse-rate': 78 }
    await clinic.cuff.publishAsync('devices/cuff-1/telemetry', JSON.stringify({ ts, values }), { qos: 1 })
    const { page } = nora
    await goTo(page, 'Patients and things')
    await page.getByRole('link', { name: 'Álvarez, Maria' }).click()
    await page.getByRole('link', { name: 'Record', exact: true }).click()
    await seen(page, 'heading', 'Vital signs by day')
    await page.getByText('142/91 mmHg').first().waitFor()
    await isGood(nora, 'record')
  })

  test('she sees who it is, who answers, what is worn, and each of it as FHIR', async () => {
    const { page } = nora
    await page.getByRole('region', { name: 'Person' }).getByText('1951-04-02').waitFor()
    await page
      .getByRole('region', { name: 'Care' })
      .getByText(/hypertension/i)
      .first()
      .waitFor()
    await page.getByRole('region', { name: 'Devices' }).getByText('cuff-1').waitFor()
    await page.getByRole('button', { name: 'This patient as FHIR' }).click()
    const dialog = page.getByRole('dialog', { name: 'Patient' })
    await dialog.getByText('"resourceType": "Patient"').waitFor()
    expect(await findings(page)).toEqual([])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  })

  test('an administrator reads what the server can, and tries it with the own rights', async () => {
    const { page } = ada
    await goTo(page, 'Developers')
    await seen(page, 'heading', 'Addresses')
    await isGood(ada, 'developers')
    const views = page.getByRole('radiogroup', { name: 'What is shown' })
    await views.getByText('What it can').click()
    await page.getByLabel('Type or search parameter').fill('value-quantity')
    await page.getByRole('list', { name: 'Types' }).getByText('Observation', { exact: true }).waitFor()
    await isGood(ada, 'developers-can')
    await views.getByText('Try it').click()
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('status').getByText(/^200/).waitFor()
    // Administrators configure and read no charts.
    await page.getByLabel('How', { exact: true }).selectOption('search')
    await page.getByLabel(/^Path/).fill('/Observation')
    await page.getByRole('button', { name: 'Send' }).click()
    await page
      .getByText(/"total": 0|OperationOutcome/)
      .first()
      .waitFor()
    expect(await page.getByText('85354-9').count()).toBe(0)
    await isGood(ada, 'developers-try')
    await views.getByText('Subscriptions').click()
    await seen(page, 'heading', 'Nobody has subscribed')
    await isGood(ada, 'developers-subscriptions')
  })

  test('no name stood in any URL', () => {
    expect(asked.filter((url) => /lvarez|Maria|1951/i.test(decodeURIComponent(url)))).toEqual([])
  })
})
