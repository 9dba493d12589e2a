/**
 * `npm run screenshots`: the pictures of the README, taken from a running demo by Debian's Chromium. It starts a demo of its own
 * in a fresh folder, waits for what is to be seen, and writes docs/pictures/*.webp. People look at them; nothing reads them back.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { type RunningDemo, startDemo } from './running-demo.ts'
import { ROOT } from './source/repository.ts'

const folder = join(ROOT, 'docs', 'pictures')
/** All pictures together, bytes: a clone should not carry more for its README. */
const MAX_BYTES = 600_000

const desk = { width: 1280, height: 800 }
const phone = { width: 390, height: 780 }

let written = 0

async function main(): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const demo = await startDemo({ TZ: 'Europe/Vienna' })
  const browser = await chromium.launch({
    executablePath: process.env.CARELOOP_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
  })
  try {
    await clinic(browser, demo)
    await pharmacy(browser, demo)
  } finally {
    await browser.close()
    await demo.stop()
  }
  console.log(`${Math.round(written / 1000)} kB in docs/pictures`)
  if (written > MAX_BYTES)
    throw new Error(`The pictures take more than ${MAX_BYTES / 1000} kB. Take fewer, or smaller ones.`)
}

async function clinic(browser: Browser, demo: RunningDemo): Promise<void> {
  const page = await signedIn(browser, demo, 'nurse@clinic.example')
  await demo.hears(/Blood pressure severely high: Sample, Cosmo/)
  await demo.hears(/Blood pressure high.*Sample, Sugrim/)
  await page.getByText('Sample, Cosmo').first().click()
  await page.getByRole('heading', { name: 'The readings that raised it' }).waitFor()
  await shoot(page, 'worklist')
  await page.getByRole('button', { name: 'Hide the first minute' }).click()
  await shoot(page, 'worklist-dark', 'dark')
  await page.setViewportSize(phone)
  await shoot(page, 'phone-why')
  await page.getByRole('button', { name: 'Back to the list' }).click()
  await page.getByRole('heading', { name: 'Worklist' }).waitFor()
  await shoot(page, 'phone-worklist', 'dark')
  await page.setViewportSize(desk)
  await page.getByText('Sample, Holly').first().click()
  await page.getByRole('link', { name: 'Sample, Holly', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Sample, Holly' }).waitFor()
  await page
    .getByRole('button', { name: /Blood pressure/ })
    .first()
    .click()
  await page.getByText('30 d', { exact: true }).click()
  await page.mouse.move(0, 0)
  await shoot(page, 'subject')
}

async function pharmacy(browser: Browser, demo: RunningDemo): Promise<void> {
  const page = await signedIn(browser, demo, 'facilities@pharmacy.example')
  await demo.hears(/Vaccine refrigerator 2/)
  await demo.hears(/Vaccine refrigerator 4/)
  await demo.hears(/Vaccine refrigerator 3.*found late/)
  await page.getByRole('button', { name: 'Hide the first minute' }).click()
  await page.getByRole('link', { name: 'Board', exact: true }).click()
  await page.getByText('Vaccine refrigerator 2').first().waitFor()
  await shoot(page, 'board')
}

async function signedIn(browser: Browser, demo: RunningDemo, email: string): Promise<Page> {
  const context = await browser.newContext({
    ...{ viewport: desk, locale: 'en-GB', timezoneId: 'Europe/Vienna', reducedMotion: 'reduce' },
  })
  const page = await context.newPage()
  await page.goto(demo.url)
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel(/^Password/).fill(demo.password(email))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Live', { exact: true }).waitFor()
  return page
}

/** WebP, since flat pages take a third of a PNG; Playwright itself writes none, the browser does. */
async function shoot(page: Page, name: string, colorScheme: 'light' | 'dark' = 'light'): Promise<void> {
  await page.emulateMedia({ colorScheme })
  // Loaders give way and charts are drawn; the live channel stays open, so the network is never idle.
  await page.waitForTimeout(1_500)
  const devtools = await page.context().newCDPSession(page)
  const { data } = await devtools.send('Page.captureScreenshot', { format: 'webp', quality: 80 })
  await devtools.detach()
  const bytes = Buffer.from(data, 'base64')
  writeFileSync(join(folder, `${name}.webp`), bytes)
  written += bytes.length
  console.log(`${name}.webp  ${Math.round(bytes.length / 1000)} kB`)
  await page.emulateMedia({ colorScheme: 'light' })
}

await main()
