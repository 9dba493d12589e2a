/**
 * A nurse reads a record. Compliance finds by the MRN who looked, watches the record, and assesses the misuse of the nurse's account
 * to its end; the MRN stands in no address and stays nowhere, and no page names the patient. Steps of one story, in order.
 */
import { byConsole } from '@careloop/platform'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findings, keptBy, launch, look, seen, textOf, type Watched } from './browser.ts'
import { type Ground, type Person, startGround } from './clinic.ts'
import { goTo, signedIn, stepsInOrder } from './story.ts'

let ground: Ground
let browser: Browser
let office: Watched
let nurse: Person
let officer: Person
let patient: string
/** Every address that compliance's pages asked for. */
const asked: string[] = []

const mrn = 'W-20-481'
const secret = 'KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU'

beforeAll(async () => {
  ;[ground, browser] = await Promise.all([startGround(), launch()])
  const { identity, subjects } = ground.platform.rooms
  const tenant = await identity.createTenant('St. Anna')
  const person = async (name: string, role: 'nurse' | 'compliance'): Promise<Person> => {
    const [email, password] = [`${role}@clinic.example`, `a calm phrase of the ${role}`]
    const { id } = await identity.createUser({ tenant, displayName: name, roles: [role], email, password })
    return { id, email, password, name }
  }
  nurse = await person('Nora Nurse', 'nurse')
  officer = { ...(await person('Olga Office', 'compliance')), secret }
  await identity.presetSecondFactor(tenant, officer.id, secret)
  const by = byConsole(tenant)
  const team = await subjects.createCareTeam(by, { name: 'Cardiology', members: [nurse.id] })
  const made = await subjects.create(by, {
    timeZone: 'Europe/Vienna',
    team: team.id,
    resource: {
      resourceType: 'Patient',
      identifier: [{ system: 'urn:oid:2.16.840.1.113883.19.5', value: mrn }],
      name: [{ family: 'Wagner', given: ['Theresia'] }],
      birthDate: '1944-10-30',
    },
  })
  patient = made.id
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await ground?.close()
})

stepsInOrder()

/** Good to look at and for axe; no name of the patient, and the MRN only where it was typed. */
async function isGood(name: string): Promise<void> {
  const { page, faults } = office
  expect(await findings(page)).toEqual([])
  expect(await look(page, name)).toEqual([])
  expect(await textOf(page.locator('body'))).not.toMatch(/Wagner|Theresia|1944/)
  expect(faults).toEqual([])
}

/** As an input of the browser's own zone takes it, which is that of the clinic. */
const inVienna = (at: number): string =>
  new Date(at).toLocaleString('sv', { timeZone: 'Europe/Vienna' }).replace(' ', 'T').slice(0, 16)

describe('compliance', { timeout: 120_000 }, () => {
  test('a nurse reads a record, and compliance finds by the MRN that she did; it is asked in no address', async () => {
    const { page } = await signedIn(browser, ground.url, nurse)
    await page.goto(`${ground.url}/subjects/${patient}`)
    await seen(page, 'heading', /Wagner/)
    office = await signedIn(browser, ground.url, officer)
    office.page.on('request', (request) => asked.push(request.url()))
    await goTo(office.page, 'Audit')
    await seen(office.page, 'heading', 'Who looked at this patient')
    expect(await look(office.page, 'audit-who-empty')).toEqual([])
    await office.page.getByLabel('Identifier, e.g. the MRN').fill('W-20-482')
    await office.page.getByRole('button', { name: 'Who looked' }).click()
    await office.page.getByText('No record').waitFor()
    await office.page.getByLabel('Identifier, e.g. the MRN').fill(mrn)
    await office.page.keyboard.press('Enter')
    const row = office.page.getByRole('row', { name: /Nora Nurse/ })
    await row.waitFor()
    expect(await textOf(row)).toMatch(/nurse[\s\S]*read[\s\S]*treatment/)
    await isGood('audit-who')
  })

  test('the trail tells the same reading, filtered by what was done; nothing went outside', async () => {
    const { page } = office
    await page.getByText('Trail', { exact: true }).click()
    await page.getByLabel('Action').selectOption('read')
    await page
      .getByRole('row', { name: /Nora Nurse read subject success/ })
      .first()
      .waitFor()
    await page.getByLabel('Action').selectOption('create')
    await page.getByRole('row', { name: /server’s console create subject/ }).waitFor()
    await isGood('audit-trail')
    await page.getByLabel('Request id').fill('no-such-request')
    await page.getByRole('button', { name: 'Read again' }).click()
    await seen(page, 'heading', 'Nothing fits')
    await page.getByText('Disclosures', { exact: true }).click()
    await page.getByLabel('Identifier, e.g. the MRN').fill(mrn)
    await page.keyboard.press('Enter')
    await seen(page, 'heading', 'Nothing of this record went outside')
    await isGood('audit-disclosures')
  })

  test('a record is watched by its MRN, and stands in the list by its id', async () => {
    const { page } = office
    await page.getByText('Unusual', { exact: true }).click()
    await page.getByText('None is watched.').waitFor()
    await page.getByLabel('Why it is watched').fill('A colleague of the ward.')
    await page.getByLabel('Identifier, e.g. the MRN').fill(mrn)
    await page.getByRole('button', { name: 'Watch this record' }).click()
    await page.getByRole('list', { name: 'Watched records' }).getByText(patient).waitFor()
    await isGood('audit-unusual')
  })

  test('the misuse of an account is assessed: whom it affects is counted, decided by four factors, told, closed', async () => {
    const { page } = office
    await goTo(page, 'Breaches')
    await seen(page, 'heading', 'No incident was assessed yet')
    await page.getByRole('button', { name: 'Assess an incident' }).click()
    const form = page.getByRole('dialog', { name: 'Assess an incident' })
    await form.getByLabel('What happened').fill('Her telephone was taken, and the session on it was open.')
    await form.getByLabel('Whose access it was').click()
    await page.getByRole('option', { name: 'Nora Nurse' }).click()
    const now = Date.now()
    await form.getByLabel('Discovered').fill(inVienna(now))
    await form.getByLabel('Access from').fill(inVienna(now + 3_600_000))
    await form.getByLabel('Access until').fill(inVienna(now + 3_600_000))
    await form.getByText('The access must begin before it ends').waitFor()
    await isGood('breach-new')
    await form.getByLabel('Access from').fill(inVienna(now - 3_600_000))
    await form.getByRole('button', { name: 'Compute whom it affects' }).click()
    const dialog = page.getByRole('dialog', { name: 'Breach assessment' })
    await dialog.getByText('1 person affected · being assessed').waitFor()
    const answers = ['Blood pressures with an id.', 'A thief who is not known.', 'They were seen, says the trail.']
    const questions = ['Which data', 'Who saw', 'Were they in fact', 'What was done']
    for (const [at, question] of questions.entries())
      await dialog.getByLabel(new RegExp(`^${question}`)).fill(answers[at] ?? 'The session was ended within the hour.')
    await dialog.getByLabel('a breach: people must be told').check()
    await isGood('breach-decide')
    await dialog.getByRole('button', { name: 'Decide' }).click()
    expect(await dialog.getByRole('button', { name: 'Close the assessment' }).isDisabled()).toBe(true)
    await dialog.getByRole('button', { name: 'Done: Tell each person' }).click()
    await dialog.getByText(/^done /).waitFor()
    await isGood('breach-notifiable')
    await dialog.getByRole('button', { name: 'Done: Tell HHS' }).click()
    await dialog.getByRole('button', { name: 'Close the assessment' }).click()
    await dialog.getByText('1 person affected · closed').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('list', { name: 'Breach assessments' }).getByText('1 person affected').waitFor()
    expect(await look(page, 'breaches')).toEqual([])
    expect(office.faults).toEqual([])
  })

  test('the MRN was in no address, and the pages keep neither it nor a name', async () => {
    expect(asked.filter((url) => url.includes(mrn))).toEqual([])
    expect(asked.filter((url) => url.includes('/api/v1/audit/who-looked')).length).toBeGreaterThan(0)
    expect(await keptBy(office.page)).not.toMatch(/W-20-48|Wagner|Theresia/)
  })
})
