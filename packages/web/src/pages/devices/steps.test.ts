import type { CredentialView, DeviceView } from '@careloop/contract'
import { describe, expect, it } from 'vitest'
import { stepsOf, usable } from './steps.ts'

const device = { worn: null, lastConnectedAt: null } as DeviceView
const worn = { ...device, worn: { id: 'a', subject: 's', from: 0, to: null } }
const way = (over: Partial<Parameters<typeof stepsOf>[0]>) =>
  Object.values(stepsOf({ device, credentials: [], heardAt: undefined, heldBack: 0, ...over })).join(' ')
const credential = (over: Partial<CredentialView>): CredentialView => ({
  ...{ id: 'c', kind: 'token', label: null, createdAt: 0, expiresAt: null, revokedAt: null },
  ...over,
})

describe('the way to the first reading', () => {
  it('goes step by step: credential, wearer, connection, reading', () => {
    expect(way({})).toBe('done next later later later')
    expect(way({ credentials: [credential({})] })).toBe('done done next later later')
    expect(way({ credentials: [credential({})], device: worn })).toBe('done done done next later')
    expect(way({ credentials: [credential({})], device: { ...worn, lastConnectedAt: 5 } })).toBe(
      'done done done done next',
    )
    expect(way({ credentials: [credential({})], device: worn, heardAt: 5 })).toBe('done done done done done')
  })

  it('takes a message in quarantine for a sign that it got through, and not for a reading', () => {
    expect(way({ credentials: [credential({})], device: { ...device, wornUnseen: true } })).toBe(
      'done done done next later',
    )
    expect(way({ device: worn, heldBack: 1 })).toBe('done done done done next')
  })

  it('counts only credentials that may be used', () => {
    const all = [credential({}), credential({ revokedAt: 5 }), credential({ expiresAt: 9 })]
    expect(usable(all, 10)).toHaveLength(1)
  })
})
