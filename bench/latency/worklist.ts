/** A nurse's worklist in a real browser, which notes when each patient's line was painted. */
import type { Rooms } from '../../packages/platform/src/app/rooms.ts'
import { launch, openPage, seen } from '../../test/e2e/browser.ts'
import type { Device } from '../ingest/generator.ts'
import { type Clinic, patientOf } from '../ingest/setup.ts'
import type { TestServer } from '../support/server.ts'

export interface ShownWorklist {
  /** Whether this device's patient belongs to the nurse's organisation. */
  shows(device: string): boolean
  begin(): Promise<void>
  /** By device: ms since epoch of the frame in which its patient's line was first painted. */
  end(): Promise<ReadonlyMap<string, number>>
  /** Completes all tasks, so that the next run begins with an empty list. */
  clear(rooms: Rooms): Promise<void>
  close(): Promise<void>
}

/** Runs in the page: the clock of this machine at the frame after each change, for every name seen for the first time. */
const watchNames = `(() => {
  const seen = (window.careloopSeen = new Map())
  let waiting = false
  const look = () => {
    waiting = false
    const now = performance.timeOrigin + performance.now()
    for (const [, name] of document.querySelector('main').textContent.matchAll(/(Load\\d+?)(?=\\D|$)/g))
      if (!seen.has(name)) seen.set(name, now)
  }
  new MutationObserver(() => {
    if (waiting) return
    waiting = true
    requestAnimationFrame(look)
  }).observe(document.querySelector('main'), { childList: true, subtree: true, characterData: true })
})()`

/** @param clinic whose nurse looks */
export async function openWorklist(
  server: TestServer,
  load: readonly Device[],
  clinic: Clinic,
): Promise<ShownWorklist> {
  const url = `http://127.0.0.1:${server.http}`
  const browser = await launch()
  const { page } = await openPage(browser, url)
  await page.goto(url)
  await page.getByLabel('E-mail').fill(clinic.email)
  await page.getByRole('textbox', { name: 'Password' }).fill(clinic.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await seen(page, 'heading', 'Worklist')
  // The first half of the load belongs to the first organisation.
  const mine = new Map(load.slice(0, Math.ceil(load.length / 2)).map((device) => [device.device, patientOf(device)]))
  return {
    shows: (device) => mine.has(device),
    begin: () => page.evaluate<void>(watchNames),
    async end() {
      const names = new Map(await page.evaluate<[string, number][]>('[...window.careloopSeen]'))
      return new Map(
        [...mine].flatMap(([device, name]) => (names.has(name) ? [[device, names.get(name)!] as const] : [])),
      )
    },
    async clear({ workflow }) {
      const by = { tenant: clinic.tenant, actor: 'cli' }
      const { rows } = await workflow.worklist(by)
      for (const { task } of rows)
        await workflow.complete({ tenant: clinic.tenant, staff: clinic.owner }, task, {
          ...{ disposition: 'no-action-needed', note: 'A run of the bench ended.', checked: [] },
        })
      await page.reload()
      await seen(page, 'heading', 'Worklist')
    },
    close: () => browser.close(),
  }
}
