import { expect, test } from 'vitest'
import { NewDeviceCertificate, NewDeviceToken } from './fleet.ts'

test('contract > the label of a credential has no room for the name of a person', () => {
  for (const label of ['bedside-2', 'gw_7.v2', 'A'.repeat(64)])
    expect(NewDeviceToken.parse({ label }).label).toBe(label)
  for (const label of ['Maria Lopez', 'José', '', 'a'.repeat(65), ' a'])
    for (const form of [NewDeviceToken, NewDeviceCertificate])
      expect(form.safeParse({ label }).error?.issues[0]?.path).toEqual(['label'])
})
