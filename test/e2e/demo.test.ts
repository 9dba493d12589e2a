/** `npm run demo` as whoever tries Careloop meets it: the first minute of a nurse and of a facilities manager. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningDemo, startDemo } from '../../scripts/running-demo.ts'
import { findings, launch, look, openPage, seen, textOf, type Watched } from './browser.ts'

let demo: RunningDemo
let browser: Browser
let nora: Watched
let fritz: Watched

beforeAll(async () => {
  ;[demo, browser] = await Promise.all([startDemo(), launch()])
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await demo?.stop()
})

const signIn = async ({ page }: Watched, email: string) => {
  await page.goto(demo.url)
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel(/^Password/).fill(demo.password(email))
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Titles of the steps that are ticked. */
const ticked = async ({ page }: Watched): Promise<string[]> => {
  const steps = await page.getByRole('region', { name: 'First minute' }).getByRole('listitem').all()
  const texts = await Promise.all(steps.map((step) => step.innerText()))
  return texts.filter((text) => text.includes('(done)')).map((text) => text.replace(/[✓\n]|\(done\)/g, '').trim())
}

const isTicked = ({ page }: Watched, title: string): Promise<void> =>
  page
    .getByRole('listitem')
    .filter({ hasText: new RegExp(`${title}.*\\(done\\)`) })
    .waitFor()

describe('the demo', { timeout: 120_000 }, () => {
  test('tells on the terminal who may sign in, and of the crisis that a cuff publishes over MQTT', async () => {
    const told = demo.said()
    for (const who of ['nurse', 'physician', 'biomed', 'admin'])
      expect(told).toMatch(new RegExp(`${who}@clinic\\.example +\\S+`))
    for (const who of ['facilities', 'pharmacist', 'admin'])
      expect(told).toMatch(new RegExp(`${who}@pharmacy\\.example +\\S+`))
    await demo.hears(/task +Blood pressure severely high: Sample, Cosmo, 190\/124 mmHg/)
  })

  test('pages say that nobody in it is real, before anybody has signed in and after', async () => {
    nora = await openPage(browser, demo.url)
    await nora.page.goto(demo.url)
    const mark = nora.page.getByRole('complementary', { name: 'Demo' })
    expect(await textOf(mark)).toContain('Demo data: no real patients')
    await signIn(nora, 'nurse@clinic.example')
    await seen(nora.page, 'heading', 'Worklist')
    expect(await textOf(mark)).toContain('Demo data: no real patients')
  })

  test('the first minute ticks by what the nurse does, and can be put away and called back', async () => {
    const { page } = nora
    await page.getByText('Sample, Cosmo').first().click()
    await seen(page, 'heading', 'The readings that raised it')
    await isTicked(nora, 'See why')
    expect(await ticked(nora)).toEqual(['See a crisis come in', 'See why'])
    await page.keyboard.press('c')
    await isTicked(nora, 'Claim it')
    expect(await findings(page)).toEqual([])
    expect(await look(page, 'demo-first-minute')).toEqual([])
    await page.getByRole('button', { name: 'Hide the first minute' }).click()
    await page.getByRole('region', { name: 'First minute' }).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Show the first minute' }).click()
    expect(await ticked(nora)).toEqual(['See a crisis come in', 'See why', 'Claim it'])
  })

  test('closed with what was done, it is ticked; the last step is the facilities manager’s board', async () => {
    const { page } = nora
    await page.keyboard.press('d')
    const dialog = page.getByRole('dialog', { name: 'Complete: Sample, Cosmo' })
    await dialog.getByRole('radio', { name: 'Spoke with the patient' }).check()
    await dialog.getByRole('textbox').fill('No symptoms. She measures again in five minutes.')
    await dialog.getByRole('button', { name: 'Complete' }).click()
    await isTicked(nora, 'Close it')

    fritz = await openPage(browser, demo.url)
    await signIn(fritz, 'facilities@pharmacy.example')
    await demo.hears(/task +Refrigerator door left open: Vaccine refrigerator 2/)
    await fritz.page.getByRole('link', { name: 'Board', exact: true }).click()
    await fritz.page
      .getByText(/^Door open since/)
      .first()
      .waitFor()
    await isTicked(fritz, 'Look at the refrigerators')
    expect(await findings(fritz.page)).toEqual([])
    expect(await look(fritz.page, 'demo-board')).toEqual([])
  })

  test('mail goes to the demo and nowhere else, and each is told', async () => {
    expect(await demo.hears(/mail +(\S+)/)).toMatch(/^[a-z]+@[a-z]+\.example:$/)
  })

  test('nothing was asked of others, refused by the policy or thrown', () => {
    expect([...nora.faults, ...fritz.faults]).toEqual([])
  })

  test('ends in order when it is interrupted', async () => {
    await browser.close()
    expect(await demo.stop()).toBe(0)
  })
})
