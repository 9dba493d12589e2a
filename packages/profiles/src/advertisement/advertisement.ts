/**
 * A Bluetooth advertisement, however a scanner or gateway hands it on:
 * - bytes: the advertising data itself (AD structures), or a whole HCI LE advertising report (`04 3E ...`);
 * - JSON: `{"address", "rssi", "ts", "data" | "hex": AD structures, "manufacturerData": {"1177": hex}, "serviceData": {uuid: hex}}`,
 *   which is also what a Ruuvi Gateway publishes (`data`, `rssi`, `ts` in seconds).
 */
import type { EpochMs } from '@careloop/contract'
import { ByteReader, toHex } from '../byte-reader.ts'
import {
  bareAddress,
  checkAddress,
  fromHex,
  instant,
  isJson,
  type JsonObject,
  numberAt,
  objectAt,
  parseObject,
  textAt,
} from '../envelope.ts'
import { fail } from '../errors.ts'
import type { DecodeContext } from '../profile.ts'

/** One piece of the advertisement and where it stood, for pointers. */
export interface Section {
  readonly bytes: Uint8Array
  readonly pointer: string
}

export interface Advertisement {
  /** 12 hex digits, most significant first. */
  readonly address?: string
  /** dBm */
  readonly rssi?: number
  /** When the gateway heard it. */
  readonly ts?: EpochMs
  /** By company number. */
  readonly manufacturer: ReadonlyMap<number, Section>
  /** By 16-bit service number, hex digits in lower case. */
  readonly service: ReadonlyMap<string, Section>
}

/** @throws Failure when the bytes are no advertisement, or name another device than the enrolled one */
export function readAdvertisement(bytes: Uint8Array, context: DecodeContext): Advertisement {
  if (bytes.length === 0) throw fail('frame-truncated', 'The frame is empty.', { pointer: '@0' })
  const advertisement = isJson(bytes) ? fromJson(parseObject(bytes)) : fromBytes(bytes)
  checkAddress(advertisement.address, context, isJson(bytes) ? '/address' : '@7')
  return advertisement
}

function fromBytes(bytes: Uint8Array): Advertisement {
  const isReport = bytes[0] === 0x04 && bytes[1] === 0x3e && bytes[2] === bytes.length - 3
  if (isReport && bytes[3] === 0x02) return fromReport(new ByteReader(bytes))
  if (isReport && bytes[3] === 0x0d) return fromExtendedReport(new ByteReader(bytes))
  return structures(bytes, 0)
}

/** HCI LE Advertising Report with one report, as scanners hand it on. */
function fromReport(reader: ByteReader): Advertisement {
  reader.take(4, 'HCI header')
  onlyOne(reader.u8('number of reports'))
  reader.take(2, 'event and address type')
  const address = readAddress(reader)
  const length = reader.u8('data length')
  const start = reader.offset
  const data = reader.take(length, 'advertising data')
  const rssi = reader.i8('RSSI')
  reader.end()
  return { ...structures(data, start), address, ...heard(rssi) }
}

/** HCI LE Extended Advertising Report (Bluetooth 5). */
function fromExtendedReport(reader: ByteReader): Advertisement {
  reader.take(4, 'HCI header')
  onlyOne(reader.u8('number of reports'))
  reader.take(3, 'event and address type')
  const address = readAddress(reader)
  reader.take(4, 'PHY, set and power')
  const rssi = reader.i8('RSSI')
  reader.take(9, 'interval and direct address')
  const length = reader.u8('data length')
  const start = reader.offset
  const data = reader.take(length, 'advertising data')
  reader.end()
  return { ...structures(data, start), address, ...heard(rssi) }
}

function onlyOne(reports: number): void {
  if (reports !== 1) throw fail('frame-unsupported', 'Send one advertising report a frame.', { pointer: '@4' })
}

const readAddress = (reader: ByteReader): string => toHex(reader.take(6, 'address').toReversed())

/** 127 = the radio could not tell. */
const heard = (rssi: number | undefined) => (rssi === undefined || rssi === 127 ? {} : { rssi })

/** AD structures: length, type, data. A length of 0 ends them early (Bluetooth Core, vol 3 part C 11). */
function structures(bytes: Uint8Array, base: number): Advertisement {
  const manufacturer = new Map<number, Section>()
  const service = new Map<string, Section>()
  const reader = new ByteReader(bytes, base)
  while (reader.remaining > 0) {
    const length = reader.u8('AD length')
    if (length === 0) break
    const type = reader.u8('AD type')
    const pointer = reader.at()
    const data = reader.take(length - 1, 'AD structure')
    if (type === 0xff && data.length >= 2) {
      manufacturer.set(data[0]! | (data[1]! << 8), { bytes: data.subarray(2), pointer })
    } else if (type === 0x16 && data.length >= 2) {
      service.set(toHex(data.subarray(0, 2).toReversed()), { bytes: data.subarray(2), pointer })
    }
  }
  return { manufacturer, service }
}

function fromJson(object: JsonObject): Advertisement {
  const address = textAt(object, 'address', '/address') ?? textAt(object, 'mac', '/mac')
  const ts = instant(object.ts, '/ts')
  const around = {
    ...(address === undefined ? {} : { address: bareAddress(address) }),
    ...heard(numberAt(object, 'rssi', '/rssi')),
    ...(ts === undefined ? {} : { ts }),
  }
  const key = object.data === undefined ? 'hex' : 'data'
  const whole = textAt(object, key, `/${key}`)
  if (whole !== undefined) return { ...fromBytes(fromHex(whole, `/${key}`)), ...around }
  return { manufacturer: manufacturerOf(object), service: serviceOf(object), ...around }
}

function manufacturerOf(object: JsonObject): ReadonlyMap<number, Section> {
  const key = object.manufacturerData === undefined ? 'manufacturer_data' : 'manufacturerData'
  const sections = new Map<number, Section>()
  for (const [company, data] of Object.entries(objectAt(object, key, `/${key}`))) {
    const pointer = `/${key}/${pointerKey(company)}`
    const id = /^0x[0-9a-f]{1,4}$/i.test(company) || /^\d{1,5}$/.test(company) ? Number(company) : Number.NaN
    if (Number.isNaN(id) || typeof data !== 'string') {
      throw fail('frame-invalid', 'Manufacturer data is a company number and its bytes in hexadecimal.', { pointer })
    }
    sections.set(id, { bytes: fromHex(data, pointer), pointer })
  }
  return sections
}

function serviceOf(object: JsonObject): ReadonlyMap<string, Section> {
  const key = object.serviceData === undefined ? 'service_data' : 'serviceData'
  const sections = new Map<string, Section>()
  for (const [uuid, data] of Object.entries(objectAt(object, key, `/${key}`))) {
    const pointer = `/${key}/${pointerKey(uuid)}`
    if (typeof data !== 'string') throw fail('frame-invalid', 'Service data is bytes in hexadecimal.', { pointer })
    const short = /^0000([0-9a-f]{4})-0000-1000-8000-00805f9b34fb$/i.exec(uuid)?.[1] ?? uuid.replace(/^0x/i, '')
    sections.set(short.toLowerCase(), { bytes: fromHex(data, pointer), pointer })
  }
  return sections
}

/** RFC 6901 */
const pointerKey = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')
