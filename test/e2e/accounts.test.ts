/**
 * How people come to their accounts: a nurse by an invitation, a patient by a code on paper, everybody by the sign-in of their
 * organisation once it is set up; and what a caregiver sees once the patient consents. Steps of one story, in order.
 */
import { byConsole, currentCode } from '@careloop/platform'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findings, launch, openPage, seen, type Watched } from './browser.ts'
import { type Ground, startGround } from './clinic.ts'
import { isGood, sendBy, stepsInOrder } from './story.ts'

let ground: Ground
let browser: Browser
let admin: Watched
let nurse: Watched
let patient: Watched
let caregiver: Watched
let tenant: string
let subject: string
let code: string

const password = 'seven lanterns on the quay'
const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'

beforeAll(async () => {
  ;[ground, browser] = await Promise.all([startGround(), launch()])
  const { identity, subjects } = ground.platform.rooms
  tenant = await identity.createTenant('St. Anna')
  const ada = { tenant, email: 'ada@clinic.example', displayName: 'Ada Admin', roles: ['administrator'] as const }
  const { id } = await identity.createUser({ ...ada, password })
  await identity.presetSecondFactor(tenant, id, secret)
  const made = await subjects.create(byConsole(tenant), {
    timeZone: 'Europe/Vienna',
    resource: { resourceType: 'Patient', name: [{ family: 'Wagner', given: ['Theresia'] }], birthDate: '1944-10-30' },
  })
  subject = made.id
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await ground?.close()
})

stepsInOrder()

describe('accounts', { timeout: 120_000 }, () => {
  test('an administrator invites a nurse, and is shown the link once', async () => {
    admin = await openPage(browser, ground.url)
    const { page } = admin
    await page.goto(`${ground.url}/people`)
    await page.getByLabel('E-mail').fill('ada@clinic.example')
    await page.getByLabel(/^Password/).fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByLabel('Code').fill(currentCode(secret, Date.now()))
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await seen(page, 'heading', 'People')
    await page.getByRole('button', { name: 'Invite somebody' }).click()
    await page.getByRole('dialog').getByLabel('E-mail').fill('nora@clinic.example')
    await page.getByRole('checkbox', { name: /^nurse/i }).check()
    await page.getByRole('button', { name: 'Invite', exact: true }).click()
    const link = await page.locator('code').innerText()
    expect(link).toContain('/invitation#token=')
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('list', { name: 'Invited' }).getByText('nora@clinic.example').waitFor()
    nurse = await openPage(browser, ground.url)
    await nurse.page.goto(link)
  })

  test('an administrator’s many pages stand in groups that open by keys; on a phone behind one button', async () => {
    const { page } = admin
    const pages = page.getByRole('navigation', { name: 'Pages' })
    const focused = () => page.locator(':focus').innerText()
    expect(await pages.getByRole('button').allInnerTexts()).toEqual(['Work', 'Things', 'Oversight', 'Administration'])
    await pages.getByRole('button', { name: 'Oversight' }).press('Enter')
    await pages.getByRole('list', { name: 'Oversight' }).waitFor()
    expect(await findings(page)).toEqual([])
    await page.keyboard.press('ArrowDown')
    expect(await focused()).toBe('Reviews')
    await page.keyboard.press('Escape')
    expect([await focused(), await pages.getByRole('list').count()]).toEqual(['Oversight', 0])
    await page.setViewportSize({ width: 360, height: 740 })
    await pages.getByRole('button', { name: 'Pages: People' }).click()
    await pages.getByRole('list', { name: 'Things' }).waitFor()
    expect(await findings(page)).toEqual([])
    await pages.getByRole('link', { name: 'Devices' }).click()
    await seen(page, 'heading', /Devices|No devices/)
    expect(await pages.getByRole('list').count()).toBe(0)
    await page.setViewportSize({ width: 1280, height: 900 })
    await page.keyboard.press('g')
    await page.keyboard.press('p')
    await seen(page, 'heading', 'People')
    expect(await pages.locator('[aria-current="true"]').innerText()).toBe('Administration')
  })

  test('the nurse chooses name and password, and the token has left the address', async () => {
    const { page } = nurse
    await page.getByText('St. Anna invites you as nurse').waitFor()
    expect(page.url()).toBe(`${ground.url}/invitation`)
    await isGood(nurse, 'invitation')
    await page.getByLabel('Your name').fill('Nora Nurse')
    await page.getByLabel(/^Password/).fill(password)
    await page.getByRole('button', { name: 'Make my account' }).click()
    await seen(page, 'button', 'Nora Nurse')
  })

  test('at the chart the nurse invites the patient by a code on paper', async () => {
    const { page } = nurse
    await page.goto(`${ground.url}/subjects/${subject}`)
    await page.getByRole('button', { name: 'Invite the patient' }).click()
    await page.getByRole('button', { name: 'Make a code' }).click()
    await page.getByRole('dialog').locator('code').waitFor()
    code = await page.getByRole('dialog').locator('code').innerText()
    expect(code).toMatch(/^[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}$/)
    await isGood(nurse, 'patient-code')
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('list', { name: 'Accounts' }).getByText('invited').waitFor()
  })

  test('the patient makes an account, sees their own name and no page of staff', async () => {
    patient = await openPage(browser, ground.url)
    const { page } = patient
    await page.goto(`${ground.url}/sign-in`)
    await page.getByRole('link', { name: /code of your clinic/ }).click()
    await page.getByRole('textbox', { name: 'Code' }).fill(code.toLowerCase().replaceAll('-', ' '))
    await page.getByLabel('Your date of birth').fill('1944-10-30')
    await page.getByLabel('E-mail or telephone').fill('+43 664 123456')
    await page.getByLabel(/^Password/).fill(password)
    await isGood(patient, 'activate')
    await page.getByRole('button', { name: 'Make my account' }).click()
    await seen(page, 'heading', 'Wagner, Theresia')
    await page.getByText('No readings yet').waitFor()
    expect(await page.getByRole('navigation', { name: 'Pages' }).count()).toBe(0)
    await isGood(patient, 'patient-today')
    for (const path of ['/worklist', '/people', `/subjects/${subject}`]) {
      await page.goto(`${ground.url}${path}`)
      await seen(page, 'heading', 'Wagner, Theresia')
      expect(new URL(page.url()).pathname).toBe('/today')
    }
    await page.getByRole('button', { name: 'Sign out' }).click()
    await seen(page, 'heading', 'Sign in')
    await page.getByLabel('E-mail').fill('0043 664 123456')
    await page.getByLabel(/^Password/).fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await seen(page, 'heading', 'Wagner, Theresia')
  })

  test('a patient’s page leads to who sees their readings, and to their password and second factor', async () => {
    const { page } = patient
    await page.getByRole('link', { name: 'Who sees your readings' }).click()
    await page.getByText('Nobody else sees them.').waitFor()
    await page.getByRole('link', { name: 'Your account' }).click()
    await seen(page, 'heading', 'Password')
    await seen(page, 'button', 'Set up an app')
    await isGood(patient, 'patient-account')
  })

  test('a caregiver sees nothing before a consent, then what it permits with unit and age, and nothing after it ends', async () => {
    const { fleet, identity, subjects } = ground.platform.rooms
    const by = byConsole(tenant)
    const accounts = `/api/v1/subjects/${subject}/accounts`
    const invited = await post(nurse, accounts, { kind: 'caregiver', relationship: 'child' })
    caregiver = await openPage(browser, ground.url)
    const { page } = caregiver
    await page.goto(`${ground.url}/sign-in`)
    const own = { code: invited.code, birthDate: '1944-10-30', login: 'dora@home.example', name: 'Dora', password }
    await post(caregiver, '/api/auth/person/activate', own)
    await page.getByLabel('E-mail').fill('dora@home.example')
    await page.getByLabel(/^Password/).fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await seen(page, 'heading', 'Nothing is shared with you yet')
    expect(await page.content()).not.toContain('Theresia')

    const device = await fleet.enrolDevice(by, { name: 'watch-1', classification: 'medical', profile: 'generic' })
    await fleet.assign(by, device.id, subject, Date.now() - 3_600_000)
    const { token } = await fleet.createDeviceToken(by, device.id, {})
    await sendBy(ground.url, token, [[2, { 'heart-rate': 72, steps: 900 }]])
    const dora = (await identity.persons.of(tenant, subject)).find(({ name }) => name === 'Dora')
    const { id } = await subjects.consents.record(by, subject, {
      ...{ decision: 'permit', grantee: { kind: 'caregiver', id: dora!.user! } },
      ...{ classes: ['vital-signs'], verification: { how: 'verbal-with-witness' } },
    })
    const list = page.getByRole('list', { name: 'Newest readings of Wagner, Theresia' })
    // Stored a moment after it was accepted: until then the page says that nothing is there.
    await expect
      .poll(async () => {
        await page.reload()
        await seen(page, 'heading', 'Wagner, Theresia')
        await list.or(page.getByText('There is no reading that is shared with you yet.')).waitFor()
        return list.getByRole('listitem').allInnerTexts()
      })
      .toEqual([expect.stringMatching(/^Heart rate\s+\d+ min ago · may be different now\s+72 \/min$/)])
    await isGood(caregiver, 'caregiver-today')
    await subjects.consents.withdraw(by, { subject, consent: id }, {})
    await page.reload()
    await seen(page, 'heading', 'Nothing is shared with you yet')
    expect(caregiver.faults).toEqual([])
  })

  test('an administrator sets up the sign-in of the organisation, and its button stands on the sign-in page', async () => {
    const { page } = admin
    await page.getByRole('link', { name: 'Sign-in of your organisation' }).click()
    await page.getByText('No identity provider yet').waitFor()
    await page.getByRole('button', { name: 'Set up' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('St. Anna Login')
    await dialog.getByLabel('Link').fill('st-anna')
    await dialog.getByLabel('Issuer').fill('https://10.1.2.3/realms/staff')
    await dialog.getByLabel('Client id').fill('careloop')
    await dialog.getByLabel('Groups and roles').fill('ward-nurses = nurse\nit = wizard')
    await dialog.getByText('Line 2: there is no role wizard.').waitFor()
    await dialog.getByLabel('Groups and roles').fill('ward-nurses = nurse\nit = administrator')
    await isGood(admin, 'identity-provider-form')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText(/leads inside the network/).waitFor()
    // A public address; saving calls nobody.
    await dialog.getByLabel('Issuer').fill('https://93.184.216.34/realms/staff')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByText('/api/auth/sso/st-anna/callback').waitFor()
    const door = await openPage(browser, ground.url)
    await door.page.goto(`${ground.url}/sign-in?sso=no-role`)
    await seen(door.page, 'link', 'Sign in with St. Anna Login')
  })
})

/** As the page itself asks. */
const post = ({ page }: Watched, path: string, body: unknown): Promise<Record<string, string>> =>
  page.evaluate<Record<string, string>>(`fetch(${JSON.stringify(path)}, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(JSON.stringify(body))},
  }).then(async (answer) => {
    if (!answer.ok) throw new Error(answer.status + await answer.text())
    return answer.status === 204 ? {} : answer.json()
  })`)
