/**
 * A nurse clears ten alerts and never touches the mouse; what she does by a slip of the hand she takes back. Steps of one story,
 * in order.
 */
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findings, launch, look, openPage, seen, textOf, type Watched } from './browser.ts'
import { type Clinic, type Ground, openClinic, type Person, startGround } from './clinic.ts'
import { stepsInOrder } from './story.ts'
import { openWard, type Ward } from './ward.ts'

let ground: Ground
let browser: Browser
let clinic: Clinic
let ward: Ward
let nora: Watched
let carl: Watched

beforeAll(async () => {
  ;[ground, browser] = await Promise.all([startGround(), launch()])
  const tenant = await ground.platform.rooms.identity.createTenant('St. Anna')
  clinic = await openClinic(ground, tenant)
  ward = await openWard(ground, tenant, clinic.nurse.id, clinic.colleague.id)
}, 120_000)

afterAll(async () => {
  await clinic?.cuff.endAsync(true)
  await browser?.close()
  await ground?.close()
})

stepsInOrder()

async function signedIn({ email, password }: Person): Promise<Watched> {
  const watched = await openPage(browser, ground.url)
  const { page } = watched
  await page.goto(`${ground.url}/`)
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel(/^Password/).fill(password)
  await page.keyboard.press('Enter')
  await seen(page, 'heading', 'Worklist')
  await seen(page, 'status', 'Live')
  return watched
}

const told = (page: Page, words: string | RegExp) => page.getByRole('status').filter({ hasText: words }).waitFor()
const chosen = (page: Page) => page.locator('[data-task][data-chosen]')
const rows = (page: Page) => page.locator('[data-task]')
/** Web-first like the locators: timing never decides. */
const eventually = <T>(look: () => Promise<T> | T) => expect.poll(look, { timeout: 30_000 })
const press = (page: Page, ...keys: string[]) =>
  keys.reduce<Promise<void>>((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve())

const isFocused = async (locator: Locator): Promise<boolean> =>
  (await locator.and(locator.page().locator(':focus')).count()) === 1

/** Says by keys what was done, with a note since the condition is still there. */
async function completeByKeys(page: Page): Promise<void> {
  await press(page, 'd')
  const dialog = page.getByRole('dialog', { name: /^Complete: / })
  const first = dialog.getByRole('radio').first()
  await first.waitFor()
  await press(page, '1')
  await eventually(() => first.isChecked()).toBe(true)
  while (!(await isFocused(dialog.getByRole('textbox')))) await press(page, 'Tab')
  // The letters of a note are no keys: c d s u are typed here.
  await page.keyboard.type('Called. No symptoms; measures again in an hour, sends it.')
  await press(page, 'Control+Enter')
  await dialog.waitFor({ state: 'detached' })
}

describe('a nurse clears ten alerts by keyboard only', { timeout: 120_000 }, () => {
  test('ten alerts of nine patients come as nine cards, the most urgent of a patient first', async () => {
    nora = await signedIn(clinic.nurse)
    carl = await signedIn(clinic.colleague)
    await ward.raiseTen()
    await eventually(() => rows(nora.page).count()).toBe(10)
    expect(await nora.page.getByRole('region', { name: /^Mine/ }).getByRole('listitem').count()).toBe(9)
    const card = nora.page.getByRole('listitem').filter({ hasText: ward.withTwo })
    const two = await card.getByRole('link').allInnerTexts()
    expect(two).toHaveLength(2)
    expect(two[0]).toContain('at or above 180/120')
    expect(two[1]).toContain('measurements in a row')
    expect(await nora.page.title()).toBe('(10) Worklist · Careloop')
    expect(await findings(nora.page)).toEqual([])
    expect(await look(nora.page, 'cards')).toEqual([])
  })

  test('j and k, arrows too, move through the rows and the row has the focus', async () => {
    const { page } = nora
    await press(page, 'j')
    const first = await chosen(page).getAttribute('data-task')
    expect(first).toBe(await rows(page).first().getAttribute('data-task'))
    await press(page, 'j', 'ArrowDown', 'ArrowDown', 'k', 'ArrowUp')
    await eventually(() => chosen(page).getAttribute('data-task')).toBe(
      await rows(page).nth(1).getAttribute('data-task'),
    )
    await eventually(() => isFocused(chosen(page))).toBe(true)
  })

  test('c claims, u takes it back within ten seconds, and the colleague sees both', async () => {
    const { page } = nora
    const name = ward.nameIn(await textOf(chosen(page)))
    await press(page, 'c')
    await told(page, `Claimed for ${name}.`)
    await carl.page.getByRole('link', { name: new RegExp(`${name}.*Nora Nurse has it`, 's') }).waitFor()
    await press(page, 'u')
    await told(page, `Given back: ${name} waits for somebody again.`)
    await carl.page.getByRole('link', { name: new RegExp(`${name}.*Nora Nurse not claimed`, 's') }).waitFor()
  })

  test('a acknowledges and goes on to the next by itself', async () => {
    const { page } = nora
    const before = await chosen(page).getAttribute('data-task')
    await press(page, 'a')
    await told(page, /^Acknowledged for /)
    await eventually(() => chosen(page).getAttribute('data-task')).not.toBe(before)
    await page.locator(`[data-task="${before}"]`).filter({ hasText: 'You have it' }).waitFor()
  })

  test('a key whose act is not possible says why', async () => {
    await press(nora.page, 's')
    await told(nora.page, 'High priority is not put off. Act, or hand it off.')
  })

  test('s puts a claimed task of low priority off, greyed; u brings it back', async () => {
    const { page } = nora
    const low = rows(page).filter({ hasText: 'measurements in a row' })
    const id = await low.getAttribute('data-task')
    while ((await chosen(page).getAttribute('data-task')) !== id) await press(page, 'j')
    await press(page, 'c')
    await told(page, /^Claimed for /)
    await press(page, 's')
    await page
      .getByRole('dialog', { name: /^Snooze: / })
      .getByRole('button', { name: /^30 min/ })
      .waitFor()
    await press(page, '3')
    await told(page, /^Snoozed for .* until (\d+ \w+ )?\d\d:\d\d\./)
    await low.filter({ hasText: /Snoozed until (\d+ \w+ )?\d\d:\d\d/ }).waitFor()
    expect(await look(page, 'snoozed')).toEqual([])
    await press(page, 'u')
    await told(page, /^No longer snoozed: /)
    await low.filter({ hasNotText: 'Snoozed until' }).waitFor()
  })

  test('h hands off to a colleague by name, who has it and is told; the same by keyboard back again', async () => {
    const { page } = nora
    await press(page, 'k')
    const [id, name] = [await chosen(page).getAttribute('data-task'), ward.nameIn(await textOf(chosen(page)))]
    await press(page, 'h')
    const dialog = page.getByRole('dialog', { name: `Hand off: ${name}` })
    await dialog.getByRole('combobox', { name: 'To' }).and(page.locator(':focus')).waitFor()
    await page.keyboard.type('carl')
    await page.getByRole('option', { name: /Carl Colleague/ }).waitFor()
    await press(page, 'ArrowDown', 'Enter', 'Tab')
    await page.keyboard.type('Knows her well.')
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'hand-off')).toEqual([])
    while (!(await isFocused(dialog.getByRole('button', { name: 'Hand off' })))) await press(page, 'Tab')
    await press(page, 'Enter')
    await told(page, `Handed off for ${name} to Carl Colleague, who is told.`)
    await carl.page.getByRole('region', { name: /^Mine/ }).locator(`[data-task="${id}"]`).waitFor()
    await carl.page.getByRole('button', { name: /^Notifications, \d+ unseen/ }).waitFor()
    // Nora does it all the same: whoever is there may.
    await page.locator(`[data-task="${id}"]`).filter({ hasText: 'Carl Colleague not claimed' }).waitFor()
  })

  test('while she works on a row, a new one above is told and moves nothing under her eyes', async () => {
    const { page } = nora
    // A refrigerator of somebody else stands below all patients of hers.
    await clinic.logger({ 'temperature-probe': -0.6 })
    await eventually(() => rows(page).count()).toBe(11)
    for (let row = 11; row > 0; row--) await press(page, 'j')
    await rows(page).last().and(chosen(page)).waitFor()
    const top = () =>
      chosen(page)
        .boundingBox()
        .then((box) => box!.y)
    const before = await top()
    await ward.raiseAnother()
    await page.getByRole('button', { name: /1 new above/ }).waitFor()
    expect(Math.abs((await top()) - before)).toBeLessThanOrEqual(1)
    expect(await look(page, 'new-above')).toEqual([])
  })

  test('letters that are typed into a field do nothing else', async () => {
    const { page } = nora
    const before = await chosen(page).getAttribute('data-task')
    await press(page, '/')
    await page.keyboard.type('cdash uj')
    await page.getByText(/of 12 tasks are shown/).waitFor()
    await press(page, 'Escape')
    await eventually(() => rows(page).count()).toBe(12)
    expect(await chosen(page).getAttribute('data-task')).toBe(before)
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  test('Ctrl K finds a patient by name, wherever she is, and g w leads back', async () => {
    const { page } = nora
    await press(page, 'Control+k')
    await page.getByRole('combobox', { name: 'Page, subject, task or act' }).waitFor()
    await page.keyboard.type(ward.withTwo.split(',')[0]!.toLowerCase())
    const subject = page
      .getByRole('group', { name: 'Subjects' })
      .getByRole('option', { name: new RegExp(ward.withTwo) })
    await subject.waitFor()
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'palette')).toEqual([])
    while ((await subject.getAttribute('aria-selected')) !== 'true') await press(page, 'ArrowDown')
    await press(page, 'Enter')
    await page.getByRole('heading', { level: 1, name: ward.withTwo }).waitFor()
    expect(page.url()).not.toMatch(/ward|text=/i)
    await press(page, 'g', 'w')
    await seen(page, 'heading', 'Worklist')
  })

  test('her time for a patient runs in view while she has the task open, and is kept', async () => {
    const { page } = nora
    await press(page, 'j', 'c')
    const timer = page.getByRole('region', { name: 'Your time for this patient' })
    await timer.getByText('Reviewing data').waitFor()
    await eventually(() => textOf(timer.getByRole('timer'))).toMatch(/0:0[6-9]/)
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'timer')).toEqual([])
    const heading = page.getByRole('complementary').getByRole('link')
    const subject = (await heading.first().getAttribute('href'))!.split('/').at(-1)!
    await press(page, 'j')
    await eventually(() => ward.secondsFor(subject)).toBeGreaterThanOrEqual(5)
  })

  test('she completes one after the other; each takes her to the next, and one she takes back', async () => {
    const { page } = nora
    await press(page, 'Escape', 'j')
    await completeByKeys(page)
    await told(page, /^Completed for .*: Spoke with the patient\./)
    await press(page, 'u')
    await told(page, /^Open again, and yours: /)
    await eventually(() => rows(page).count()).toBe(12)
    for (let left = 12; left > 0; left--) {
      await eventually(() => rows(page).count()).toBe(left)
      await chosen(page).waitFor()
      await completeByKeys(page)
    }
    await seen(page, 'heading', 'Nothing needs you now')
    expect(await page.title()).toBe('Worklist · Careloop')
    await seen(carl.page, 'heading', 'Nothing needs you now')
  })

  test('nothing was asked of others, refused by the policy or thrown', () => {
    expect([...nora.faults, ...carl.faults]).toEqual([])
  })
})
