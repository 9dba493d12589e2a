/** Debian's Chromium, watched: nothing may be asked of another origin, refused by the policy, or thrown. */
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core'

/** Folder for screenshots, for people who changed the pages to look at: CARELOOP_SHOTS. Nothing reads them back. */
const shots = process.env.CARELOOP_SHOTS

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CARELOOP_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  })

export interface Watched {
  readonly page: Page
  readonly context: BrowserContext
  /** What went wrong in the page so far, in words; empty is good. */
  readonly faults: readonly string[]
}

export async function openPage(browser: Browser, url: string): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    timezoneId: 'Europe/Vienna',
    locale: 'en-GB',
    reducedMotion: 'reduce',
  })
  context.setDefaultTimeout(30_000)
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(`threw: ${error.message}`))
  page.on('console', (message) => {
    // A refusal of ours (401 before sign-in, 409 to the slower of two) is an answer, not a fault.
    if (message.type() === 'error' && !/status of 4\d\d|ERR_CONNECTION_REFUSED/.test(message.text()))
      faults.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    const asked = request.url()
    if (!asked.startsWith(url) && !asked.startsWith('data:')) faults.push(`asked elsewhere: ${asked}`)
  })
  return { page, context, faults }
}

/** All that a page keeps in the browser beyond its own life, as one text; answers in the HTTP cache are told by `no-store`. */
export const keptBy = (page: Page): Promise<string> =>
  page.evaluate<string>(`(async () => {
    const entries = (storage) => Object.entries({ ...storage }).map(([key, value]) => key + '=' + value)
    const bases = await indexedDB.databases()
    const cached = await Promise.all((await caches.keys()).map(async (name) => {
      const cache = await caches.open(name)
      const requests = await cache.keys()
      const bodies = await Promise.all(requests.map(async (each) => (await cache.match(each)).text()))
      return [name, ...requests.map((each) => each.url), ...bodies]
    }))
    return [...entries(localStorage), ...entries(sessionStorage), document.cookie, JSON.stringify(history.state), document.title,
      ...bases.map(({ name }) => 'database ' + name), ...cached.flat()].join('\\n')
  })()`)

/** axe's findings in both colour schemes, as `rule: element`; empty is good. */
export async function findings(page: Page): Promise<string[]> {
  const found: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const axe = new AxeBuilder({ page })
    // Structure is the same in the dark: only colours are looked at again.
    const { violations } = await (colorScheme === 'dark' ? axe.withRules(['color-contrast']) : axe).analyze()
    for (const { id, nodes } of violations)
      for (const node of nodes)
        found.push(`${colorScheme} ${id}: ${node.html} (${node.any.map((each) => each.message)})`)
  }
  await page.emulateMedia({ colorScheme: 'light' })
  return found
}

const sizes = [
  [1280, 900],
  [390, 844],
  [360, 740],
] as const

/** From a desk to the smallest phone; with CARELOOP_SHOTS a picture of each, light and dark. @returns widths at which the page scrolls sideways */
export async function look(page: Page, name: string): Promise<number[]> {
  const tooWide: number[] = []
  for (const [width, height] of sizes) {
    await page.setViewportSize({ width, height })
    const scrolled = await page.evaluate<number>('document.documentElement.scrollWidth')
    if (scrolled > width) tooWide.push(width)
    if (shots !== undefined) await shoot(page, join(shots, `${name}-${width}`))
  }
  await page.setViewportSize({ width: 1280, height: 900 })
  return tooWide
}

async function shoot(page: Page, path: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: `${path}-${colorScheme}.png`, animations: 'disabled' })
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

/** Waits until it is there: web-first, so that timing never decides. */
export const seen = (page: Page, role: Parameters<Page['getByRole']>[0], name: string | RegExp) =>
  page.getByRole(role, { name }).first().waitFor()

/** As a person sees it: with the spaces of the layout, which `textContent` lacks. */
export const textOf = (locator: Locator): Promise<string> => locator.innerText()
