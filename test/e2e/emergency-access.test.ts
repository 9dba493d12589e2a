/**
 * A nurse takes emergency access to a patient of another team, sees until when, and gives it back; compliance closes the review
 * without opening a chart. Then a screen on the wall: opened by its link, dark when it is revoked. Steps of one story, in order.
 */
import { byConsole } from '@careloop/platform'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findings, launch, look, openPage, seen, textOf, type Watched } from './browser.ts'
import { type Clinic, type Ground, openClinic, type Person, startGround } from './clinic.ts'
import { signedIn, stepsInOrder } from './story.ts'

let ground: Ground
let browser: Browser
let clinic: Clinic
let tenant: string
let nurse: Watched
let office: Watched
let patient: string
let officer: Person

/** Base32, 20 bytes: of an authenticator app that is set up already. */
const secrets = { nurse: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', office: 'KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU' } as const

beforeAll(async () => {
  ;[ground, browser] = await Promise.all([startGround(), launch()])
  tenant = await ground.platform.rooms.identity.createTenant('St. Anna')
  clinic = await openClinic(ground, tenant)
  const { subjects } = ground.platform.rooms
  const by = byConsole(tenant)
  const team = await subjects.createCareTeam(by, { name: 'Cardiology', members: [clinic.colleague.id] })
  const made = await subjects.create(by, {
    timeZone: 'Europe/Vienna',
    team: team.id,
    resource: {
      resourceType: 'Patient',
      identifier: [{ system: 'urn:oid:2.16.840.1.113883.19.5', value: 'W-20-481' }],
      name: [{ family: 'Wagner', given: ['Theresia'] }],
      birthDate: '1944-10-30',
    },
  })
  patient = made.id
  officer = await anOfficer()
}, 120_000)

afterAll(async () => {
  await clinic?.cuff.endAsync(true)
  await browser?.close()
  await ground?.close()
})

stepsInOrder()

async function withCode(person: Person, secret: string): Promise<Watched> {
  await ground.platform.rooms.identity.presetSecondFactor(tenant, person.id, secret)
  return signedIn(browser, ground.url, { ...person, secret })
}

async function anOfficer(): Promise<Person> {
  const [email, password, name] = ['olga.office@clinic.example', 'a calm phrase of the office', 'Olga Office']
  const wanted = { tenant, displayName: name, roles: ['compliance'], email, password } as const
  const { id } = await ground.platform.rooms.identity.createUser(wanted)
  return { id, email, password, name }
}

const words = 'Brought in without a pulse from the stairs of house B.'

describe('emergency access', { timeout: 120_000 }, () => {
  test('a patient of another team is not found; the way to emergency access says what follows from it', async () => {
    nurse = await withCode(clinic.nurse, secrets.nurse)
    const { page } = nurse
    await page.getByRole('link', { name: 'Patients and things' }).click()
    await page.getByLabel('Find by name, address or birth date').fill('Wagner')
    await page.getByText('Nobody and nothing found').waitFor()
    await page.getByRole('button', { name: 'Emergency access' }).click()
    const dialog = page.getByRole('dialog', { name: 'Emergency access' })
    await dialog.getByText('You see this one patient for 4 hours').waitFor()
    expect(await textOf(dialog)).toContain('told at once')
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'emergency-access')).toEqual([])
  })

  test('a number that is nobody’s finds nobody, and says that it was recorded', async () => {
    const dialog = nurse.page.getByRole('dialog', { name: 'Emergency access' })
    await dialog.getByRole('textbox', { name: 'Number' }).fill('W-20-482')
    await dialog.getByLabel('What is the matter').fill(words)
    await dialog.getByRole('button', { name: 'Take emergency access' }).click()
    await dialog.getByText('The attempt was recorded').waitFor()
  })

  test('the exact number opens the patient’s page, with a banner that says until when', async () => {
    const { page } = nurse
    const dialog = page.getByRole('dialog', { name: 'Emergency access' })
    await dialog.getByRole('textbox', { name: 'Number' }).fill('w-20-481')
    await dialog.getByRole('button', { name: 'Take emergency access' }).click()
    await seen(page, 'heading', /Wagner/)
    expect(page.url()).toBe(`${ground.url}/subjects/${patient}`)
    const banner = page.getByRole('status', { name: 'Emergency access' })
    await banner.getByText(/3 h 59 min left|4 h left/).waitFor()
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'emergency-banner')).toEqual([])
  })

  test('compliance opens on the review, reads why and what was done, and closes it; a patient stands there by code', async () => {
    office = await withCode(officer, secrets.office)
    const { page } = office
    await seen(page, 'heading', 'Reviews')
    const row = page.getByRole('listitem').filter({ hasText: 'Emergency access to a patient' })
    await row.getByText(/Nora Nurse, patient [0-9a-f]{8}/).waitFor()
    expect(await look(page, 'reviews')).toEqual([])
    await row.getByRole('button', { name: /^Open/ }).click()
    const dialog = page.getByRole('dialog', { name: 'Review' })
    await dialog.getByText(words).waitFor()
    await dialog
      .getByRole('list', { name: 'What was done by it' })
      .getByText(/Read subject, \d+ time/)
      .waitFor()
    expect(await textOf(dialog)).not.toContain('Wagner')
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'review')).toEqual([])
    await dialog.getByRole('button', { name: 'I look at it' }).click()
    await dialog.getByText('You look at it.').waitFor()
    await dialog.getByLabel('Justified', { exact: true }).check()
    await dialog.getByLabel('Note').fill('Confirmed by the ward round.')
    await dialog.getByRole('button', { name: 'Close the review' }).click()
    await dialog.waitFor({ state: 'detached' })
    await seen(page, 'heading', 'Nothing waits for review')
    await page.goto(`${ground.url}/subjects/${patient}`)
    await page.getByText(/Your role \(compliance\) does not include this/).waitFor()
    expect(office.faults).toEqual([])
  })

  test('she gives it back, and the patient is not there for her any more', async () => {
    const { page } = nurse
    await page.getByRole('button', { name: 'End it now' }).click()
    await seen(page, 'heading', 'Patients and things')
    await page.goto(`${ground.url}/subjects/${patient}`)
    await seen(page, 'heading', 'This subject could not be read')
    expect(nurse.faults).toEqual([])
  })
})

describe('a screen on the wall', { timeout: 120_000 }, () => {
  let ben: Watched
  let screen: Watched

  test('facilities make a link, and it opens the board on the screen: large, and nothing to sign in to', async () => {
    ben = await signedIn(browser, ground.url, clinic.facilities)
    const { page } = ben
    await page.getByRole('link', { name: 'Wall screens' }).click()
    await seen(page, 'heading', 'No wall screen yet')
    await page.getByRole('button', { name: 'Add a screen' }).click()
    await page.getByLabel('Where it hangs').fill('Pharmacy, north wall')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    const link = await page.getByRole('dialog').locator('code').innerText()
    screen = await openPage(browser, ground.url)
    await screen.page.goto(link)
    await screen.page.getByRole('listitem', { name: /Vaccine refrigerator 2/ }).waitFor()
    await screen.page.getByText(/Pharmacy, north wall · St. Anna · live/).waitFor()
    // The token is in no address any more, and no script reads the cookie.
    expect(screen.page.url()).toBe(`${ground.url}/display`)
    expect(await screen.page.evaluate<string>('document.cookie')).toBe('')
    expect(await findings(screen.page)).toEqual([])
    expect(await look(screen.page, 'wall-screen')).toEqual([])
    await screen.page.reload()
    await screen.page.getByRole('listitem', { name: /Vaccine refrigerator 2/ }).waitFor()
  })

  test('it reaches no page of people, and its link opens no second screen', async () => {
    await screen.page.goto(`${ground.url}/worklist`)
    await screen.page.getByLabel('E-mail').waitFor()
    await screen.page.goto(`${ground.url}/display`)
    await screen.page.getByRole('listitem', { name: /Vaccine refrigerator 2/ }).waitFor()
  })

  test('revoked it goes dark by itself, and the list says so', async () => {
    const { page } = ben
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByText(/last seen/).waitFor()
    expect(await look(page, 'wall-screens')).toEqual([])
    await page.getByRole('button', { name: 'Revoke Pharmacy, north wall' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click()
    await seen(screen.page, 'heading', 'This screen shows nothing')
    expect(await screen.page.getByRole('listitem').count()).toBe(0)
    await page.getByText('revoked', { exact: true }).waitFor()
    expect([...ben.faults, ...screen.faults]).toEqual([])
  })
})
