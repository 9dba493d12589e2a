import { createCipheriv } from 'node:crypto'
import type { DecodedFrame } from '@careloop/contract'
import { describe, expect, test } from 'vitest'
import { profile } from '../catalog.ts'
import type { DecodeContext } from '../profile.ts'
import { hex, json, ownVectors, refusal } from '../testing/material.ts'

interface OwnVector {
  readonly name: string
  readonly profile: string
  readonly hex: string
  /** null = absent */
  readonly readings?: Record<string, number | null>
  readonly warns?: boolean
  readonly refused?: string
  readonly pointer?: string
}

const decode = (code: string, bytes: Uint8Array, context?: DecodeContext): DecodedFrame =>
  profile(code)!.decode!(bytes, context)

const valuesOf = (frame: DecodedFrame) =>
  Object.fromEntries(frame.readings.map(({ signal, value }) => [signal, typeof value === 'number' ? value : null]))

describe('our own vectors of advertisements', () => {
  test.each(ownVectors<OwnVector>('advertisements.json'))('$name', (vector) => {
    const run = () => decode(vector.profile, hex(vector.hex))
    if (vector.refused !== undefined) {
      expect(refusal(run)).toMatchObject({ code: vector.refused, pointer: vector.pointer })
      return
    }
    const frame = run()
    expect(valuesOf(frame)).toMatchObject(vector.readings!)
    expect(frame.warnings !== undefined).toBe(vector.warns ?? false)
  })
})

describe('RuuviTag', () => {
  const payload = '0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F'

  test('as a Ruuvi Gateway publishes it: seconds as text, RSSI, advertising data in hex', () => {
    const frame = decode(
      'ruuvi',
      json({ gw_mac: 'C8:25:2D:8E:9C:2C', rssi: -59, ts: '1795336215', data: `0201061BFF9904${payload}` }),
    )
    expect(frame.readings[0]).toEqual({
      signal: 'temperature-ambient',
      value: 24.3,
      unit: 'Cel',
      time: { epochMs: 1_795_336_215_000 },
    })
    expect(valuesOf(frame)['signal-strength']).toBe(-59)
  })

  test('acceleration comes with its length, and the wrapping measurement number is no identity', () => {
    const frame = decode('ruuvi', json({ manufacturerData: { 1177: payload } }))
    expect(valuesOf(frame).acceleration).toBeCloseTo(Math.hypot(4, 4, 1036), 3)
    expect(frame.sequence).toBeUndefined()
    expect(frame.attributes).toEqual({ dataFormat: 5, txPowerDbm: 4, measurementSequence: 205, mac: 'cbb8334c884f' })
  })

  test('a frame of another tag is refused', () => {
    const run = () =>
      decode('ruuvi', json({ address: 'CB:B8:33:4C:88:4F', manufacturerData: { 1177: payload } }), {
        address: '001122334455',
      })
    expect(refusal(run)).toMatchObject({ code: 'frame-wrong-device', pointer: '/address' })
  })

  test.each([
    [{ manufacturerData: { ruuvi: payload } }, '/manufacturerData/ruuvi'],
    [{ manufacturerData: { 1177: 'zz' } }, '/manufacturerData/1177'],
    [{ manufacturerData: { 1177: payload.slice(0, 20) } }, '/manufacturerData/1177'],
    [{ serviceData: { 'a/b': 1 } }, '/serviceData/a~1b'],
    [{ rssi: 'loud', data: '' }, '/rssi'],
    [[], '@2'],
  ])('%j is refused at %s', (value, pointer) => {
    expect(refusal(() => decode('ruuvi', json(value))).pointer).toBe(pointer)
  })
})

describe('BTHome with a key', () => {
  const bindKey = hex('231d39c1d7cc1ab1aee224cd096db932')
  const address = '54:48:E6:8F:80:A5'

  /** What a sensor would send: version 2, the given objects, counter 0x33221100. */
  function sealed(objects: string): string {
    const counter = hex('00112233')
    const nonce = Buffer.concat([hex('5448E68F80A5'), hex('D2FC41'), counter])
    const cipher = createCipheriv('aes-128-ccm', bindKey, nonce, { authTagLength: 4 })
    const text = Buffer.concat([cipher.update(hex(objects)), cipher.final()])
    return Buffer.concat([hex('41'), text, counter, cipher.getAuthTag()]).toString('hex')
  }

  test('opens with the key, whatever the length', () => {
    const frame = decode('bthome', json({ address, serviceData: { fcd2: sealed('0161 02CA09 03BF13 2101') } }), {
      bindKey,
    })
    expect(valuesOf(frame)).toEqual({ 'battery-level': 97, 'temperature-ambient': 25.06, humidity: 50.55, motion: 1 })
    expect(frame.attributes).toMatchObject({ encryptionCounter: 0x33221100 })
  })

  test('takes the address of the enrolled device when the gateway tells none', () => {
    expect(
      decode('bthome', json({ serviceData: { fcd2: sealed('0161') } }), { bindKey, address }).readings,
    ).toHaveLength(1)
  })

  test.each([
    ['another key', sealed('0161'), { bindKey: hex('00'.repeat(16)), address }],
    ['no key', sealed('0161'), { address }],
    ['a key of the wrong length', sealed('0161'), { bindKey: hex('0011'), address }],
    ['no address', sealed('0161'), { bindKey }],
    ['another address', sealed('0161'), { bindKey, address: '001122334455' }],
    ['a changed byte', sealed('0161').replace(/^41../, '41ff'), { bindKey, address }],
    ['a frame in the clear, though a key is set', '400161', { bindKey, address }],
  ])('is refused with %s', (_, data, context) => {
    const failure = refusal(() => decode('bthome', json({ serviceData: { fcd2: data } }), context))
    expect(failure).toMatchObject({ code: 'frame-encrypted', pointer: '/serviceData/fcd2' })
  })

  test('shorter than counter and tag is truncated', () => {
    const run = () => decode('bthome', json({ serviceData: { fcd2: '4100112233' } }), { bindKey, address })
    expect(refusal(run).code).toBe('frame-truncated')
  })
})
