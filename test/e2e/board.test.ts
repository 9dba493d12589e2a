/**
 * A facilities manager handles the open door from the board: sees the unit that is out, since when and what to do, claims it,
 * completes it with what was done, and the card calms down. Steps of one story, in order.
 */
import { AxeBuilder } from '@axe-core/playwright'
import { byConsole } from '@careloop/platform'
import type { Browser, Locator } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findings, launch, look, seen, textOf, type Watched } from './browser.ts'
import { type Clinic, type Ground, openClinic, startGround } from './clinic.ts'
import { isSameDocument, sendBy, signedIn, stepsInOrder } from './story.ts'

let ground: Ground
let browser: Browser
let clinic: Clinic
let ben: Watched
let token = ''

beforeAll(async () => {
  ;[ground, browser] = await Promise.all([startGround(), launch()])
  const tenant = await ground.platform.rooms.identity.createTenant('St. Anna')
  clinic = await openClinic(ground, tenant)
  token = await aRefrigerator(tenant)
}, 120_000)

afterAll(async () => {
  await clinic?.cuff.endAsync(true)
  await browser?.close()
  await ground?.close()
})

stepsInOrder()

/** Beside the clinic's, one that is enrolled and has worn its probe for an hour. @returns its probe's token */
async function aRefrigerator(tenant: string): Promise<string> {
  const { subjects, fleet } = ground.platform.rooms
  const by = byConsole(tenant)
  const from = Date.now() - 3_600_000
  const { id } = await subjects.create(by, {
    timeZone: 'Europe/Vienna',
    resource: { resourceType: 'Device', deviceName: [{ name: 'Vaccine refrigerator 7', type: 'user-friendly-name' }] },
  })
  await subjects.enrol(by, id, { program: 'vaccine-fridge', owner: clinic.facilities.id, from })
  const probe = await fleet.enrolDevice(by, { name: 'probe-7', classification: 'operational', profile: 'generic' })
  await fleet.assign(by, probe.id, id, from)
  return (await fleet.createDeviceToken(by, probe.id, {})).token
}

const cardOf = ({ page }: Watched, status: string): Locator =>
  page.getByRole('listitem', { name: `Vaccine refrigerator 7: ${status}`, exact: true })

describe('the open door', { timeout: 120_000 }, () => {
  test('facilities open on the board, which says what is not known and what is in range, with its age', async () => {
    await sendBy(ground.url, token, [
      [50, { 'temperature-probe': 4.9, 'door-open': 0, 'battery-level': 88 }],
      [10, { 'temperature-probe': 4.7 }],
    ])
    ben = await signedIn(browser, ground.url, clinic.facilities)
    await seen(ben.page, 'heading', 'Cold chain')
    const card = cardOf(ben, 'In range')
    await card.waitFor()
    const words = await textOf(card)
    expect(words).toMatch(/4\.7\s+°C/)
    expect(words).toMatch(/probe-7, \d+ min ago/)
    expect(words).toContain('allowed 2 to 8 °C')
    expect(words).toMatch(/Battery 88 %/)
    expect(words).toContain('Door closed')
    // The other one has never measured: it may be warm or not, and it is not said to be good.
    await ben.page.getByRole('listitem', { name: 'Vaccine refrigerator 2: Not known' }).waitFor()
    expect(await findings(ben.page)).toEqual([])
  })

  test('a door left open stands first by itself: out of range, since when, what to do', async () => {
    await sendBy(ground.url, token, [
      [6, { 'temperature-probe': 6.8, 'door-open': 1 }],
      [2, { 'temperature-probe': 9.1, 'door-open': 1 }],
      [0, { 'temperature-probe': 9.4, 'door-open': 1 }],
    ])
    const card = cardOf(ben, 'Out of range')
    await card.getByText(/Door open since/).waitFor()
    const words = await textOf(card)
    expect(words).toMatch(/9\.4\s+°C\s+too warm/)
    expect(words).toMatch(/Out of range for \d+ (s|min), since (\d+ \w+ )?\d\d:\d\d/)
    expect(words).toContain('nobody has it yet')
    await card.getByText(/What to do: Close the door/).waitFor()
    expect(await textOf(ben.page.getByRole('listitem').first())).toContain('Vaccine refrigerator 7')
    expect(await isSameDocument(ben)).toBe(true)
    expect(await findings(ben.page)).toEqual([])
    expect(await look(ben.page, 'board')).toEqual([])
  })

  test('the wall mode is read from across the room: larger, 7:1, without navigation', async () => {
    const { page } = ben
    await page.getByRole('button', { name: 'Wall mode' }).click()
    await page.getByRole('button', { name: 'Leave wall mode' }).waitFor()
    expect(new URL(page.url()).searchParams.get('wall')).toBe('true')
    expect(await page.getByRole('navigation', { name: 'Pages' }).count()).toBe(0)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      const { violations } = await new AxeBuilder({ page }).withRules(['color-contrast-enhanced']).analyze()
      expect(violations.flatMap(({ nodes }) => nodes.map(({ html }) => html))).toEqual([])
    }
    await page.emulateMedia({ colorScheme: 'light' })
    expect(await look(page, 'board-wall')).toEqual([])
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Wall mode' }).waitFor()
  })

  test('he claims it on the card, and the card says who has it', async () => {
    await ben.page.getByRole('button', { name: 'Claim: Refrigerator door left open, Vaccine refrigerator 7' }).click()
    await cardOf(ben, 'Out of range').getByText('Ben Building has it').waitFor()
  })

  test('the door is closed: in range again, and still open until he has said what he did', async () => {
    await sendBy(ground.url, token, [[0, { 'temperature-probe': 6.1, 'door-open': 0 }]])
    const card = cardOf(ben, 'In range, still open')
    await card.getByText(/in range again/).waitFor()
    await card.getByRole('button', { name: 'Open: Refrigerator door left open, Vaccine refrigerator 7' }).click()
    const pane = ben.page.getByRole('dialog', { name: 'Why, and what to do' })
    await pane.getByRole('heading', { name: 'The readings that raised it' }).waitFor()
    expect(new URL(ben.page.url()).searchParams.get('task')).toMatch(/^[0-9a-f-]{36}$/)
    expect(await findings(ben.page)).toEqual([])
    await pane.getByRole('button', { name: /^Complete/ }).click()
    const dialog = ben.page.getByRole('dialog', { name: 'Complete: Vaccine refrigerator 7' })
    await dialog.getByLabel('Door, power or setting corrected').check()
    await dialog.getByRole('button', { name: /^Complete/ }).click()
    await dialog.waitFor({ state: 'detached' })
  })

  test('the card is calm, and nothing was reloaded, refused by the policy or thrown', async () => {
    const card = cardOf(ben, 'In range')
    await card.waitFor()
    expect(await textOf(card)).not.toContain('Door open since')
    expect(await isSameDocument(ben)).toBe(true)
    expect(ben.faults).toEqual([])
  })
})
