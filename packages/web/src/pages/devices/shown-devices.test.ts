import type { DeviceView } from '@careloop/contract'
import { describe, expect, it } from 'vitest'
import { batteryOf, shownDevices } from './shown-devices.ts'

const now = 1_000_000_000
const device = (name: string, over: Partial<DeviceView> = {}): DeviceView => ({
  ...{ id: name, name, classification: 'medical', profile: 'generic', serial: null, manufacturer: null, model: null },
  ...{ expectedIntervalMs: null, timeZone: null, gateway: null, address: null, bindKeySet: false, worn: null },
  ...{ settingsVersion: 0, attributes: {}, connected: false, lastConnectedAt: null, enrolledAt: 0 },
  ...over,
})
const names = (devices: readonly DeviceView[], filter: Partial<Parameters<typeof shownDevices>[2]> = {}) =>
  shownDevices(devices, new Map([['cuff-2', now - 1000]]), { text: '', state: undefined, ...filter }, now).map(
    ({ name }) => name,
  )

describe('the list of devices', () => {
  it('is by name, with numbers as numbers', () => {
    expect(names([device('cuff-10'), device('cuff-2'), device('cuff-1')])).toEqual(['cuff-1', 'cuff-2', 'cuff-10'])
  })

  it('finds by every word of name, profile, serial, maker', () => {
    const all = [device('cuff-1', { manufacturer: 'Omron', profile: 'blood-pressure' }), device('scale-1')]
    expect(names(all, { text: 'omron blood' })).toEqual(['cuff-1'])
    expect(names(all, { text: 'omron scale' })).toEqual([])
  })

  it('tells devices that are away from those that never connect, and silent ones from heard ones', () => {
    const all = [device('http'), device('gone', { lastConnectedAt: now - 5 }), device('cuff-2', { connected: true })]
    expect(names(all, { state: 'away' })).toEqual(['gone'])
    expect(names(all, { state: 'connected' })).toEqual(['cuff-2'])
    expect(names(all, { state: 'silent' })).toEqual(['gone', 'http'])
  })

  it('counts as free only what nobody wears, not what somebody wears whom one does not see', () => {
    const all = [device('free'), device('elsewhere', { wornUnseen: true })]
    expect(names(all, { state: 'unworn' })).toEqual(['free'])
  })

  it('knows a low battery where the device told of one', () => {
    const all = [
      device('a', { attributes: { battery: 12 } }),
      device('b', { attributes: { battery: 90 } }),
      device('c'),
    ]
    expect(names(all, { state: 'low-battery' })).toEqual(['a'])
    expect(batteryOf(all[2]!)).toBeUndefined()
  })
})
