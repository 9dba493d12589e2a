/** What a person does with an authenticator app in the browser. */
import { currentCode } from '@careloop/platform'
import type { Page } from 'playwright-core'
import { seen } from './browser.ts'

/** From "Set up your second factor" to the first page. @returns the secret in the app */
export async function enrolInBrowser(page: Page, at: (step: 'scan' | 'codes') => Promise<void> = async () => {}) {
  await seen(page, 'heading', 'Set up your second factor')
  await page.getByRole('button', { name: 'Set up an app' }).click()
  await seen(page, 'img', 'QR code for your authenticator app')
  const secret = (await page.locator('code').innerText()).replaceAll(' ', '')
  await at('scan')
  await page.getByLabel(/code that the app shows now/).fill(currentCode(secret, Date.now()))
  await page.getByRole('button', { name: 'Confirm' }).click()
  await seen(page, 'heading', 'Keep your backup codes')
  await at('codes')
  await page.getByLabel('I have kept them in a safe place').check()
  await page.getByRole('button', { name: 'Go on' }).click()
  return secret
}
