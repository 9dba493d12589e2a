import type { DecodedFrame } from '@careloop/contract'
import { describe, expect, test } from 'vitest'
import { profile } from '../catalog.ts'
import type { DecodeContext } from '../profile.ts'
import { hex, json, ownVectors, refusal, vectorsOf } from '../testing/material.ts'
import { chirpStackUplink, thingsStackUplink, UPLINK_TIME } from '../testing/uplinks.ts'

type Row = readonly [signal: string, value: number | null, deviceTime?: number]

interface OwnVector {
  readonly name: string
  readonly profile: string
  readonly fPort: number
  readonly hex: string
  readonly readings?: readonly Row[]
  readonly attributes?: Record<string, unknown>
  readonly warns?: boolean
  readonly refused?: string
  readonly pointer?: string
}

const RADIO = ['signal-strength', 'signal-to-noise']

const decode = (code: string, bytes: Uint8Array, context?: DecodeContext): DecodedFrame =>
  profile(code)!.decode!(bytes, context)

const rows = (frame: DecodedFrame): Row[] =>
  frame.readings
    .filter(({ signal }) => !RADIO.includes(signal))
    .map(({ signal, value, time }) => [
      signal,
      typeof value === 'number' ? value : null,
      (time as { epochMs: number }).epochMs,
    ])

describe.each([
  ['ChirpStack v4', chirpStackUplink],
  ['The Things Stack v3', (fPort: number, payload: Uint8Array) => thingsStackUplink(fPort, payload)],
])('our own LoRaWAN vectors by %s', (_, wrap) => {
  test.each(ownVectors<OwnVector>('lorawan.json'))('$name', (vector) => {
    const run = () => decode(vector.profile, wrap(vector.fPort, hex(vector.hex)))
    if (vector.refused !== undefined) {
      const port = wrap === chirpStackUplink ? '/fPort' : '/uplink_message/f_port'
      const pointer = vector.pointer === '/fPort' ? port : vector.pointer
      expect(refusal(run)).toMatchObject({ code: vector.refused, pointer })
      return
    }
    const frame = run()
    expect(rows(frame)).toEqual(vector.readings!.map(([signal, value, time]) => [signal, value, time ?? UPLINK_TIME]))
    expect(frame.attributes).toMatchObject(vector.attributes ?? {})
    expect(frame.warnings !== undefined).toBe(vector.warns ?? false)
    expect(frame.sequence).toBeUndefined()
  })
})

const payload = hex('01755C 03673401 046865')
const code = 'milesight-em300-th'

describe('ChirpStack v4 events', () => {
  test('a counter left out is 0, and the best gateway tells the radio', () => {
    const frame = decode(code, chirpStackUplink(85, payload))
    expect(frame.attributes).toMatchObject({ devEui: '24e124136b000001', devAddr: '00189440', fCnt: 0 })
    expect(frame.readings.slice(-2)).toEqual([
      { signal: 'signal-strength', value: -48, unit: '{dBm}', time: { epochMs: UPLINK_TIME } },
      { signal: 'signal-to-noise', value: 9.8, unit: 'dB', time: { epochMs: UPLINK_TIME } },
    ])
  })

  test("the server's decoded object is not believed", () => {
    expect(rows(decode(code, chirpStackUplink(85, payload, { object: { temperature: 99 } })))).toHaveLength(3)
    expect(rows(decode(code, chirpStackUplink(85, hex(''), { object: { temperature: 99 } })))).toEqual([])
  })

  test('a status event gives the battery; join and log events give no reading', () => {
    const around = { time: '2026-11-22T08:30:15.123Z', deviceInfo: { devEui: '24e124136b000001' } }
    expect(rows(decode(code, json({ ...around, margin: 20, batteryLevel: 94.5 })))).toEqual([
      ['battery-level', 94.5, UPLINK_TIME],
    ])
    expect(rows(decode(code, json({ ...around, margin: 20, batteryLevel: 0, batteryLevelUnavailable: true })))).toEqual(
      [],
    )
    expect(rows(decode(code, json({ ...around, devAddr: '00189440' })))).toEqual([])
  })

  test.each([
    ['still encrypted', { joinServerContext: { sessionKeyId: 'AYxy' } }, 'frame-encrypted', '/joinServerContext'],
    ['of another device', { deviceInfo: { devEui: 'ffffffffffffffff' } }, 'frame-wrong-device', '/deviceInfo/devEui'],
    ['with a port of 300', { fPort: 300 }, 'frame-invalid', '/fPort'],
    ['with a counter of -1', { fCnt: -1 }, 'frame-invalid', '/fCnt'],
    ['with data that is no base64', { data: '***' }, 'frame-invalid', '/data'],
    ['with a time that is none', { time: 'yesterday' }, 'frame-invalid', '/time'],
    ['with an RSSI in words', { rxInfo: [{ rssi: 'loud' }] }, 'frame-invalid', '/rxInfo/0/rssi'],
    ['of version 3', { deviceInfo: undefined, devEUI: 'JOEkE2sAAAE=' }, 'frame-unsupported', ''],
  ])('%s is refused', (_, change, failure, pointer) => {
    const run = () => decode(code, chirpStackUplink(85, payload, change), { address: '24-E1-24-13-6B-00-00-01' })
    expect(refusal(run)).toMatchObject({ code: failure, pointer })
  })

  test('an empty join server context is none', () => {
    expect(rows(decode(code, chirpStackUplink(85, payload, { joinServerContext: {} })))).toHaveLength(3)
  })
})

describe('webhooks of The Things Stack v3', () => {
  test('port and payload left out are 0 and empty: nothing measured, nothing wrong', () => {
    const frame = decode('dragino-lht65', thingsStackUplink(0, hex('')))
    expect(rows(frame)).toEqual([])
    expect(frame.warnings).toEqual(['The uplink has no payload.'])
  })

  test('a retried webhook gives the same times and values: it is the same message', () => {
    const again = { received_at: '2026-11-22T08:35:00Z' }
    expect(rows(decode(code, thingsStackUplink(85, payload, {}, again)))).toEqual(
      rows(decode(code, thingsStackUplink(85, payload))),
    )
  })

  test('an uplink simulated in the console says so', () => {
    const frame = decode(code, thingsStackUplink(85, payload, {}, { simulated: true }))
    expect(frame.attributes).toMatchObject({ simulated: true })
    expect(frame.warnings).toHaveLength(1)
  })

  test.each([
    [
      'still encrypted',
      { app_s_key: { kek_label: 'ns', encrypted_key: 'AA==' } },
      {},
      'frame-encrypted',
      '/uplink_message/app_s_key',
    ],
    [
      'of another device',
      {},
      { end_device_ids: { dev_eui: 'ffffffffffffffff' } },
      'frame-wrong-device',
      '/end_device_ids/dev_eui',
    ],
    ['with bad base64', { frm_payload: '***' }, {}, 'frame-invalid', '/uplink_message/frm_payload'],
    [
      'that is a downlink',
      {},
      { uplink_message: undefined, downlink_queued: {} },
      'frame-unsupported',
      '/uplink_message',
    ],
  ])('%s is refused', (_, message, more, failure, pointer) => {
    const run = () => decode(code, thingsStackUplink(85, payload, message, more), { address: '24e124136b000001' })
    expect(refusal(run)).toMatchObject({ code: failure, pointer })
  })
})

interface MaterialVector {
  readonly id: string
  readonly device: string
  readonly input: { readonly fPort: number; readonly hex: string }
  readonly expected: Record<string, unknown> & {
    readonly error?: string
    readonly history?: readonly Record<string, unknown>[]
  }
}

const PROFILES: Readonly<Record<string, string>> = {
  'em320-th-v2': 'milesight-em320-th',
  am308l: 'milesight-am308',
  'am319-hcho': 'milesight-am319',
  'dragino-lht65': 'dragino-lht65',
}

const profileOf = (device: string): string | undefined =>
  [PROFILES[device], `milesight-${device}`].find((each) => each !== undefined && profile(each))

/** The vendor's names for our signals, where they differ. */
const SIGNALS: Readonly<Record<string, string>> = {
  battery: 'battery-level',
  temperature: 'temperature-ambient',
  tvoc: 'voc-index',
  pressure: 'pressure-air',
  pm2_5: 'pm2-5',
  hcho: 'formaldehyde',
  illumination: 'illuminance',
  infrared: 'infrared-light',
  infrared_and_visible: 'broadband-light',
  light_level: 'light-level',
  pir: 'motion',
  leakage_status: 'leak',
}

const STATES: Readonly<Record<string, number>> = { trigger: 1, leak: 1, idle: 0, normal: 0 }

const material = ['milesight', 'ttn-devices']
  .flatMap((file) => vectorsOf<MaterialVector>(`lorawan/${file}.json`))
  .filter(({ device }) => profileOf(device) !== undefined)

describe.skipIf(material.length === 0)('LoRaWAN payloads of the shared material', () => {
  test('hold the two devices that must be there', () => {
    expect(material.map(({ device }) => device)).toEqual(expect.arrayContaining(['em300-th', 'dragino-lht65']))
  })

  test.each(material)('$id', ({ device, input, expected }) => {
    const run = () => decode(profileOf(device)!, chirpStackUplink(input.fPort, hex(input.hex)))
    if (expected.error !== undefined) {
      expect(refusal(run).code).toBe('frame-unsupported')
      return
    }
    const ours = rows(run())
    const theirs = (expected.history ?? [expected]).flatMap(({ timestamp, ...values }) =>
      Object.entries(values).map(([name, value]): Row => {
        const signal =
          device === 'em500-pt100' && name === 'temperature' ? 'temperature-probe' : (SIGNALS[name] ?? name)
        return [
          signal,
          typeof value === 'string' ? STATES[value]! : Number(value),
          timestamp === undefined ? UPLINK_TIME : Number(timestamp) * 1000,
        ]
      }),
    )
    const sorted = (list: readonly Row[]) => [...list].sort((a, b) => a[0].localeCompare(b[0]))
    expect(sorted(ours)).toEqual(sorted(theirs))
  })
})
