/** Whatever bytes come, a codec gives a well-formed frame or refuses with a Failure of its own. A million cases by FUZZ_CASES. */
import { type DecodedFrame, Failure } from '@careloop/contract'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { ruuviPayload } from './advertisement/ruuvi.ts'
import { allProfiles, profile } from './catalog.ts'
import { errors } from './errors.ts'
import { characteristics } from './gatt/characteristic.ts'
import { decodeLht65 } from './lorawan/lht65.ts'
import { decodeChannels } from './lorawan/milesight.ts'
import { am100, am319, em300Leak, em300Th } from './lorawan/milesight-channels.ts'
import { fuzzCases, hex, json } from './testing/material.ts'
import { chirpStackUplink, thingsStackUplink } from './testing/uplinks.ts'
import { faultOf } from './testing/well-formed.ts'

// A soak of a million cases takes minutes; how long it may take is not what is tested.
vi.setConfig({ testTimeout: 60_000 + fuzzCases * 2 })

/** True, or an error that fast-check shows with the bytes that made it. */
function decodesOrRefuses(decode: () => DecodedFrame): boolean {
  try {
    const fault = faultOf(decode())
    if (fault !== undefined) throw new Error(fault)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (!(error.code in errors)) throw new Error(`foreign code ${error.code}`)
    if (!/^(|@\d+|\/.*)$/.test(error.pointer)) throw new Error(`pointer ${error.pointer}`)
  }
  return true
}

const holds = (bytes: fc.Arbitrary<Uint8Array>, decode: (bytes: Uint8Array) => DecodedFrame, share = 1): void => {
  fc.assert(
    fc.property(bytes, (each) => {
      // As doors hand them over. The raw frame is evidence: a codec that turned an address round in place falsified it.
      const frame = Buffer.from(each)
      return decodesOrRefuses(() => decode(frame)) && frame.equals(each)
    }),
    { numRuns: Math.ceil(fuzzCases * share) },
  )
}

const anyBytes = fc.uint8Array({ maxLength: 64 })
const prefixed = (...prefixes: string[]) =>
  fc
    .tuple(fc.constantFrom(...prefixes), fc.uint8Array({ maxLength: 48 }))
    .map(([prefix, rest]) => Buffer.concat([hex(prefix), rest]))

/** AD structure around service or manufacturer data. */
const advertised =
  (start: string) =>
  (data: Uint8Array): Uint8Array => {
    const section = Buffer.concat([hex(start), data])
    return Buffer.concat([Buffer.of(section.length), section])
  }

const bindKey = hex('231d39c1d7cc1ab1aee224cd096db932')

describe('random bytes', () => {
  test.each([...characteristics])('characteristic %s', (_, decode) => holds(anyBytes, decode))

  test('RuuviTag formats', () => holds(prefixed('03', '05', '06', 'C5', 'E1', ''), ruuviPayload))

  test('RuuviTag advertisements', () =>
    holds(anyBytes.map(advertised('FF9904')), (bytes) => profile('ruuvi')!.decode!(bytes)))

  test('BTHome 2', () =>
    holds(prefixed('40', '42', '44', '').map(advertised('16D2FC')), (bytes) => profile('bthome')!.decode!(bytes)))

  test('BTHome 1', () => holds(anyBytes.map(advertised('161C18')), (bytes) => profile('bthome')!.decode!(bytes)))

  test('encrypted BTHome', () =>
    holds(fc.oneof(prefixed('41', '43').map(advertised('16D2FC')), anyBytes.map(advertised('161E18'))), (bytes) =>
      profile('bthome')!.decode!(bytes, { bindKey, address: '5448E68F80A5' }),
    ))

  test.each([
    ['EM300-TH', em300Th],
    ['EM300-SLD', em300Leak],
    ['AM100', am100],
    ['AM319', am319],
  ])('Milesight %s', (_, model) =>
    holds(prefixed('0175', '0367', '20CE', 'FF16', 'FF0B', ''), (bytes) => decodeChannels(bytes, model)),
  )

  test('LHT65', () => {
    const any = fc.uint8Array({ minLength: 11, maxLength: 33 })
    holds(fc.oneof(any, fc.uint8Array({ minLength: 11, maxLength: 11 }), anyBytes), (bytes) => decodeLht65(bytes))
  })

  test('every profile, on bytes that are nothing it knows', () => {
    for (const { decode } of allProfiles) {
      if (decode !== undefined) holds(fc.oneof(anyBytes, prefixed('043E', '7B22', '7B7D')), decode, 0.1)
    }
  })
})

describe('random JSON', () => {
  const keys = [
    'characteristic',
    'hex',
    'base64',
    'data',
    'ts',
    'time',
    'address',
    'rssi',
    'serviceData',
    'manufacturerData',
  ]
  const lorawanKeys = [
    'deviceInfo',
    'fPort',
    'fCnt',
    'rxInfo',
    'joinServerContext',
    'end_device_ids',
    'uplink_message',
    'devEui',
  ]
  const key = fc.constantFrom(
    ...keys,
    ...lorawanKeys,
    'f_port',
    'frm_payload',
    'rx_metadata',
    'received_at',
    'fcd2',
    '1177',
  )
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(
      '2A35',
      '2A37',
      '00',
      '0510',
      '40',
      'AAAA',
      '2026-11-22T08:30:15Z',
      null,
      true,
      -1,
      1e300,
      0.5,
    ),
    fc.string({ maxLength: 8 }),
    fc.integer(),
    fc.double(),
  )
  const value = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(key, tie('any'), { maxKeys: 6 }),
    ),
  })).any

  test('every profile, on JSON with the keys it knows and values it does not', () => {
    const object = fc.dictionary(key, value, { maxKeys: 8 }).map(json)
    for (const { decode } of allProfiles) if (decode !== undefined) holds(object, decode, 0.1)
  })

  test('uplinks with random payloads and ports', () => {
    const uplink = fc
      .tuple(fc.boolean(), fc.integer({ min: 0, max: 255 }), anyBytes)
      .map(([isThings, port, payload]) => (isThings ? thingsStackUplink : chirpStackUplink)(port, payload))
    for (const code of ['milesight-em300-th', 'dragino-lht65']) holds(uplink, profile(code)!.decode!, 0.5)
  })
})

test('every frame that is cut short is refused or is well-formed: no field is made up', () => {
  const whole = hex('1E 8E00 5800 6A00 EA070B16081E0F 4800 01 0400')
  for (let length = 0; length < whole.length; length++) {
    expect(() => characteristics.get('2A35')!(whole.subarray(0, length)), `${length} bytes`).toThrow(Failure)
  }
})
