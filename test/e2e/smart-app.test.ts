/**
 * The sample app in a browser, from its registration to its end: opened by itself, opened from a patient, refused, taken back. Steps of
 * one story, in order.
 */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { byConsole, currentCode, newSecret } from '@careloop/platform'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeServer } from '../../examples/smart-app/server.js'
import { findings, launch, look, openPage, seen, type Watched } from './browser.ts'
import { type Ground, startGround } from './clinic.ts'
import { stepsInOrder } from './story.ts'

let ground: Ground
let browser: Browser
let sample: Server
let sampleUrl: string
let client = 'not-registered'
let admin: Watched
let nurse: Watched
let subject: string

const password = 'seven lanterns on the quay'
const secret = newSecret()

beforeAll(async () => {
  ;[ground, browser] = await Promise.all([startGround(), launch()])
  sample = makeServer(() => ({ client, fhir: `${ground.url}/fhir/R4` }))
  await new Promise<void>((done) => sample.listen(0, '127.0.0.1', done))
  sampleUrl = `http://127.0.0.1:${(sample.address() as AddressInfo).port}`
  const { identity, subjects } = ground.platform.rooms
  const tenant = await identity.createTenant('St. Anna')
  const ada = { tenant, email: 'ada@clinic.example', displayName: 'Ada Admin', roles: ['administrator'] as const }
  const { id } = await identity.createUser({ ...ada, password })
  await identity.presetSecondFactor(tenant, id, secret)
  const nora = { tenant, email: 'nora@clinic.example', displayName: 'Nora Nurse', roles: ['nurse'] as const }
  await identity.createUser({ ...nora, password })
  const made = await subjects.create(byConsole(tenant), {
    timeZone: 'Europe/Vienna',
    resource: { resourceType: 'Patient', name: [{ family: 'Wagner', given: ['Theresia'] }], birthDate: '1944-10-30' },
  })
  subject = made.id
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await ground?.close()
  if (sample?.listening) await new Promise((done) => sample.close(done))
})

stepsInOrder()

const signIn = async (page: Page, email: string) => {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel(/^Password/).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}
/** Going to the app and coming back is no fault; its own page is watched by its own policy. */
const faultsOf = ({ faults }: Watched) => faults.filter((fault) => !fault.startsWith(`asked elsewhere: ${sampleUrl}`))

describe('the sample app', { timeout: 120_000 }, () => {
  test('an administrator registers it', async () => {
    admin = await openPage(browser, ground.url)
    const { page } = admin
    await page.goto(`${ground.url}/apps`)
    await signIn(page, 'ada@clinic.example')
    await page.getByLabel('Code').fill(currentCode(secret, Date.now()))
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await seen(page, 'heading', 'Apps')
    await page.getByText('No app yet').waitFor()
    await page.getByText(`${ground.url}/fhir/R4`).waitFor()
    await page.getByRole('button', { name: 'Register an app' }).click()
    const dialog = page.getByRole('dialog', { name: 'Register an app' })
    await dialog.getByLabel('Name').fill('Vital signs')
    await dialog.getByLabel('Redirect URIs').fill('http://app.example.com/')
    await dialog.getByLabel('Launch URL').fill(`${sampleUrl}/launch.html`)
    await dialog
      .getByLabel('Scopes')
      .fill('openid fhirUser launch launch/patient offline_access patient/Patient.rs patient/Observation.rs')
    await dialog.getByRole('button', { name: 'Register' }).click()
    await dialog.getByText('Only https:// is safe').waitFor()
    expect(await findings(page)).toEqual([])
    await dialog.getByLabel('Redirect URIs').fill(`${sampleUrl}/`)
    await dialog.getByRole('button', { name: 'Register' }).click()
    const made = page.getByRole('dialog', { name: 'Vital signs' })
    client = await made.locator('code').first().innerText()
    await made.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('list', { name: 'Apps' }).getByText(client).waitFor()
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'apps')).toEqual([])
    expect(faultsOf(admin)).toEqual([])
  })

  test('a nurse opens it by itself: signs in, chooses the patient, leaves nothing unsaid, and sees vital signs', async () => {
    nurse = await openPage(browser, ground.url)
    const { page, context } = nurse
    await page.goto(sampleUrl)
    await page.getByRole('button', { name: 'Choose a patient' }).click()
    await seen(page, 'heading', 'Sign in')
    await signIn(page, 'nora@clinic.example')
    await seen(page, 'heading', 'Allow Vital signs?')
    const made = await context.request.post(`${ground.url}/fhir/R4/Observation`, {
      headers: { 'content-type': 'application/fhir+json', 'sec-fetch-site': 'same-origin' },
      data: JSON.stringify(heartRate(subject)),
    })
    expect([made.status(), made.ok() ? '' : await made.text()]).toEqual([201, ''])
    await page.getByText('read and find measurements of the patient, only where category is vital-signs').waitFor()
    await page.getByText('Choose the patient first.').waitFor()
    expect(await page.getByRole('button', { name: 'Allow', exact: true }).isDisabled()).toBe(true)
    await page.getByLabel('Who or what').fill('wagner')
    await page.getByLabel('Wagner, Theresia, born 1944-10-30').check()
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'authorize')).toEqual([])
    await page.getByRole('button', { name: 'Allow', exact: true }).click()
    await seen(page, 'heading', /Theresia Wagner|Wagner/)
    expect(page.url()).toBe(`${sampleUrl}/`)
    await page.getByRole('cell', { name: /72/ }).waitFor()
    await page.getByText(/Opened by Practitioner\//).waitFor()
    await page.getByRole('button', { name: 'Read again' }).click()
    await page.getByText('Measurements: 1').waitFor()
    expect(faultsOf(nurse)).toEqual([])
  })

  test('no is no: the app hears it and shows nothing', async () => {
    const page = await nurse.context.newPage()
    await page.goto(sampleUrl)
    await page.getByRole('button', { name: 'Choose a patient' }).click()
    await page.getByRole('button', { name: 'Do not allow' }).click()
    await page.getByText('access_denied').waitFor()
    expect(new URL(page.url()).origin).toBe(sampleUrl)
    await page.close()
  })

  test('from a patient’s page it opens at that patient, and does not ask which', async () => {
    const { page, context } = nurse
    await page.goto(`${ground.url}/subjects/${subject}`)
    await page.getByRole('button', { name: 'Open an app' }).click()
    const opening = context.waitForEvent('page')
    await page.getByRole('menuitem', { name: 'Vital signs' }).click()
    const app = await opening
    await seen(app, 'heading', 'Allow Vital signs?')
    await app.getByText('Wagner, Theresia').waitFor()
    expect(await app.getByLabel('Who or what').count()).toBe(0)
    expect(await findings(app)).toEqual([])
    await app.getByRole('button', { name: 'Allow', exact: true }).click()
    await app.getByRole('cell', { name: /72/ }).waitFor()
    expect(await app.evaluate('window.opener')).toBeNull()
  })

  test('on her account the nurse sees both, takes them back, and the app has nothing any more', async () => {
    const { page, context } = nurse
    await page.goto(`${ground.url}/account`)
    const list = page.getByRole('list', { name: 'Apps that you allow' })
    await list.waitFor()
    expect(await list.getByRole('listitem').count()).toBe(2)
    expect(await findings(page)).toEqual([])
    await list.getByRole('button', { name: 'Take back what Vital signs may' }).first().click()
    await expect.poll(() => list.getByRole('listitem').count(), { timeout: 30_000 }).toBe(1)
    await list.getByRole('button', { name: 'Take back what Vital signs may' }).first().click()
    await list.waitFor({ state: 'detached' })
    const app = context.pages().find((each) => each.url() === `${sampleUrl}/`)!
    await app.getByRole('button', { name: 'Read again' }).click()
    await app.getByText('invalid_grant').waitFor()
  })

  test('an app that answers elsewhere than registered is sent nowhere', async () => {
    const page = await nurse.context.newPage()
    const query = new URLSearchParams({
      ...{ response_type: 'code', client_id: client, redirect_uri: `${sampleUrl}/elsewhere`, state: '1e3' },
      ...{
        scope: 'patient/*.rs',
        aud: `${ground.url}/fhir/R4`,
        code_challenge_method: 'S256',
        code_challenge: 'a'.repeat(43),
      },
    })
    const answered = await page.goto(`${ground.url}/authorize?${query}`)
    expect(answered?.headers()).toMatchObject({ 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' })
    await page.getByRole('alert').getByText('not registered').waitFor()
    expect(new URL(page.url()).origin).toBe(ground.url)
    query.set('redirect_uri', `${sampleUrl}/`)
    query.set('prompt', 'none')
    // Whatever a router makes of `1e3`: the app gets its state back letter by letter.
    const [back] = await Promise.all([
      page.waitForRequest((request) => request.url().startsWith(`${sampleUrl}/?`)),
      page.goto(`${ground.url}/authorize?${query}`),
    ])
    const said = new URL(back.url()).searchParams
    expect([said.get('error'), said.get('state'), said.get('iss')]).toEqual(['consent_required', '1e3', ground.url])
    await page.close()
  })

  test('an administrator switches it off, and people are not asked for it any more', async () => {
    const { page } = admin
    await page.getByRole('button', { name: 'Switch off: Vital signs' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click()
    await page.getByText('switched off').waitFor()
    expect(faultsOf(admin)).toEqual([])
    await nurse.page.goto(sampleUrl)
    await nurse.page.getByRole('button', { name: 'Choose a patient' }).click()
    await nurse.page.getByText('unauthorized_client').waitFor()
  })
})

const heartRate = (patient: string) => ({
  resourceType: 'Observation',
  status: 'final',
  category: [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
  ],
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4', display: 'Heart rate' }], text: 'Heart rate' },
  subject: { reference: `Patient/${patient}` },
  effectiveDateTime: new Date().toISOString(),
  valueQuantity: { value: 72, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
})
