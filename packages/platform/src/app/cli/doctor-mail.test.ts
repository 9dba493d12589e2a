import { expect, test } from 'vitest'
import { openPostOffice } from '../../integrations/testing/post-office.ts'
import { mailFindings } from './doctor-mail.ts'

test('doctor > says whether the mail server lets Careloop in', async () => {
  expect(await mailFindings({})).toMatchObject([{ state: 'look', what: expect.stringContaining('CARELOOP_SMTP_URL') }])
  const office = await openPostOffice()
  expect(await mailFindings({ mail: office.settings })).toMatchObject([{ state: 'good' }])
  expect(office.mails).toEqual([])
  await office.shut()
  expect(await mailFindings({ mail: { ...office.settings, origin: null } })).toMatchObject([
    { state: 'bad', what: expect.stringContaining('ESOCKET') },
    { state: 'look', what: expect.stringContaining('CARELOOP_PUBLIC_ORIGIN') },
  ])
})
