/** What a person does with an authenticator app in the browser. */
import { currentCode } from '@careloop/platform'
import type { Page } from 'playwright-core'
import { seen } from './browser.ts'

export interface App {
  /** Base32. */
  readonly secret: string
  /** Each opens once. */
  readonly backupCodes: readonly string[]
}

type Step = 'scan' | 'codes'

/** From the QR code to the word that the backup codes are kept. @param at called on each screen */
export async function scanAndConfirm(page: Page, at: (step: Step) => Promise<void> = async () => {}): Promise<App> {
  await seen(page, 'img', 'QR code for your authenticator app')
  const secret = (await page.locator('code').innerText()).replaceAll(' ', '')
  await at('scan')
  await page.getByLabel(/code that the app shows now/).fill(currentCode(secret, Date.now()))
  await page.getByRole('button', { name: 'Confirm' }).click()
  const list = page.getByRole('list', { name: 'Backup codes' })
  await list.waitFor()
  await at('codes')
  const backupCodes = await list.getByRole('listitem').allInnerTexts()
  await page.getByLabel('I have kept them in a safe place').check()
  await page.getByRole('button', { name: 'Go on' }).click()
  return { secret, backupCodes }
}

/** From "Set up your second factor" to the first page. */
export async function enrolInBrowser(page: Page, at?: (step: Step) => Promise<void>): Promise<App> {
  await seen(page, 'heading', 'Set up your second factor')
  await page.getByRole('button', { name: 'Set up an app' }).click()
  return scanAndConfirm(page, at)
}
