/**
 * Channels of Milesight's payloads: (id, type) -> length and meaning, little-endian. What an id means differs by model; how a type
 * is written does not. Source: the payload tables of Milesight's user guides (facts; no code of theirs).
 */
import type { DecodedReading, SignalCode, Value } from '@careloop/contract'
import { toHex } from '../byte-reader.ts'
import { unixTime } from './unix-time.ts'

/** What one channel says. */
export interface ChannelResult {
  readonly readings?: readonly DecodedReading[]
  readonly attributes?: Readonly<Record<string, string | number | boolean>>
}

export interface Channel {
  /** Bytes after id and type. */
  readonly length: number
  readonly read: (data: DataView) => ChannelResult
}

export type Model = ReadonlyMap<number, Channel>

/** Key of a channel in a model's map. */
export const channelKey = (id: number, type: number): number => id * 256 + type

const number = (signal: SignalCode, unit: string, length: number, value: (data: DataView) => Value): Channel => ({
  length,
  read: (data) => ({ readings: [{ signal, value: value(data), unit }] }),
})

const u16 = (data: DataView): number => data.getUint16(0, true)
const i16 = (data: DataView): number => data.getInt16(0, true)
/** All bits set, or the largest signed number: the sensor could not be read. */
const orAbsent = (raw: number, none: readonly number[], per: number): Value =>
  none.includes(raw) ? { absent: 'unsuccessful' } : raw / per

const temperature = (signal: SignalCode): Channel =>
  number(signal, 'Cel', 2, (data) => orAbsent(i16(data), [-1 * 0x8000, 0x7fff], 10))
const humidity: Channel = number('humidity', '%', 1, (data) => orAbsent(data.getUint8(0), [0xff], 2))
const wide = (signal: SignalCode, unit: string, per = 1): Channel =>
  number(signal, unit, 2, (data) => orAbsent(u16(data), [0xffff], per))
const onOff = (signal: SignalCode): Channel => number(signal, '1', 1, (data) => (data.getUint8(0) === 0 ? 0 : 1))

const attribute = (name: string, length: number, value: (data: DataView) => string | number): Channel => ({
  length,
  read: (data) => ({ attributes: { [name]: value(data) } }),
})

const bytesHex = (data: DataView): string => toHex(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
const CLASSES = ['Class A', 'Class B', 'Class C', 'Class CtoB']

/** What every model says of itself after a start, and how it answers settings. */
const common: readonly (readonly [id: number, type: number, channel: Channel])[] = [
  [0xff, 0x01, attribute('ipsoVersion', 1, (data) => `v${data.getUint8(0) >> 4}.${data.getUint8(0) & 15}`)],
  [0xff, 0x09, attribute('hardwareVersion', 2, (data) => `v${data.getUint8(0).toString(16)}.${data.getUint8(1) >> 4}`)],
  [
    0xff,
    0x0a,
    attribute('firmwareVersion', 2, (data) => `v${data.getUint8(0).toString(16)}.${data.getUint8(1).toString(16)}`),
  ],
  [0xff, 0xff, attribute('tslVersion', 2, (data) => `v${data.getUint8(0)}.${data.getUint8(1)}`)],
  [0xff, 0x16, attribute('serialNumber', 8, bytesHex)],
  [0xff, 0x0f, attribute('lorawanClass', 1, (data) => CLASSES[data.getUint8(0)] ?? 'unknown')],
  [0xff, 0x0b, attribute('started', 1, () => 1)],
  [0xff, 0xfe, attribute('reset', 1, () => 1)],
  [0x01, 0x75, number('battery-level', '%', 1, (data) => orAbsent(data.getUint8(0), [0xff], 1))],
  // Answers to settings; they are facts about the device.
  ...[0xfe, 0xff].flatMap((id): (readonly [number, number, Channel])[] => [
    [id, 0x02, attribute('collectionInterval', 2, u16)],
    [id, 0x03, attribute('reportInterval', 2, u16)],
    [id, 0x06, attribute('alarmSetting', 9, bytesHex)],
    [id, 0x10, attribute('reboots', 1, () => 1)],
    [id, 0x27, attribute('historyCleared', 1, () => 1)],
    [id, 0x28, attribute('reportsNow', 1, () => 1)],
    [id, 0x68, attribute('historyEnabled', 1, (data) => data.getUint8(0))],
    [id, 0x69, attribute('retransmitEnabled', 1, (data) => data.getUint8(0))],
    [id, 0x6a, attribute('retransmitSetting', 3, bytesHex)],
    [id, 0x6d, attribute('stopsTransmitting', 1, () => 1)],
    [id, 0xea, attribute('calibrationSetting', 3, bytesHex)],
  ]),
]

const model = (channels: readonly (readonly [id: number, type: number, channel: Channel])[]): Model =>
  new Map([...common, ...channels].map(([id, type, channel]) => [channelKey(id, type), channel]))

/** A logged record: Unix time, then the channels of its readings one after the other. */
function history(length: number, fields: readonly (readonly [offset: number, channel: Channel])[]): Channel {
  return {
    length,
    read: (data) => {
      const time = unixTime(data.getUint32(0, true))
      const readings = fields.flatMap(([offset, channel]) => {
        const part = new DataView(data.buffer, data.byteOffset + offset, channel.length)
        return channel.read(part).readings ?? []
      })
      return { readings: readings.map((reading) => ({ ...reading, ...time })) }
    },
  }
}

const air = temperature('temperature-ambient')
const probe = temperature('temperature-probe')

export const em300Th: Model = model([
  [0x03, 0x67, air],
  [0x04, 0x68, humidity],
  [
    0x20,
    0xce,
    history(8, [
      [4, air],
      [6, humidity],
    ]),
  ],
])

/** EM300-SLD, -ZLD and -MLD: with a leak detector. */
export const em300Leak: Model = model([
  [0x03, 0x67, air],
  [0x04, 0x68, humidity],
  [0x05, 0x00, onOff('leak')],
  [
    0x20,
    0xce,
    history(8, [
      [4, air],
      [6, humidity],
      [7, onOff('leak')],
    ]),
  ],
])

/** EM300-MCS: with a magnet contact at a door. */
export const em300Door: Model = model([
  [0x03, 0x67, air],
  [0x04, 0x68, humidity],
  [0x06, 0x00, onOff('door-open')],
  [
    0x20,
    0xce,
    history(8, [
      [4, air],
      [6, humidity],
      [7, onOff('door-open')],
    ]),
  ],
])

/** Sent when the temperature crossed a limit or jumped: a measurement like any other, with the reason. */
const probeAlarm: Channel = {
  length: 5,
  read: (data) => ({
    ...probe.read(new DataView(data.buffer, data.byteOffset, 2)),
    attributes: { alarm: data.getUint8(4) },
  }),
}

/** EM500-PT100: a platinum probe, for freezers. */
export const em500Pt100: Model = model([
  [0x03, 0x67, probe],
  [0x83, 0xd7, probeAlarm],
  [0x20, 0xce, history(6, [[4, probe]])],
])

/** Indices and gases of the AM300 series; what they are in when they are logged depends on the record's id. */
const light = number('light-level', '1', 1, (data) => data.getUint8(0))
const co2 = wide('co2', '[ppm]')
// The sensor's VOC index, in hundredths; by another setting of the device ug/m3, said by another type.
const vocIndex = wide('voc-index', '1', 100)
const voc = wide('voc', 'ug/m3')
const pressure = wide('pressure-air', 'hPa', 10)
const pm25 = wide('pm2-5', 'ug/m3')
const pm10 = wide('pm10', 'ug/m3')
const formaldehyde = wide('formaldehyde', 'mg/m3', 100)

type Field = readonly [offset: number, channel: Channel]

/** AM300 series: indoor air. Their logged records end with what the model has more: particles, formaldehyde. */
function am300(length: number, more: readonly Field[]): Model {
  const logged = (organic: Channel): Channel =>
    history(length, [
      [4, air],
      [6, wide('humidity', '%', 2)],
      [8, onOff('motion')],
      [9, light],
      [10, co2],
      [12, organic],
      [14, pressure],
      ...more,
    ])
  return model([
    [0x03, 0x67, air],
    [0x04, 0x68, humidity],
    [0x05, 0x00, onOff('motion')],
    [0x06, 0xcb, light],
    [0x07, 0x7d, co2],
    [0x08, 0x7d, vocIndex],
    [0x08, 0xe6, voc],
    [0x09, 0x73, pressure],
    [0x0a, 0x7d, formaldehyde],
    [0x0b, 0x7d, pm25],
    [0x0c, 0x7d, pm10],
    [0x0e, 0x01, attribute('buzzer', 1, (data) => (data.getUint8(0) === 0 ? 'off' : 'on'))],
    [0x20, 0xce, logged(vocIndex)],
    [0x21, 0xce, logged(voc)],
  ])
}

const particles: readonly Field[] = [
  [16, pm25],
  [18, pm10],
]

export const am307: Model = am300(16, [])
export const am308: Model = am300(20, particles)
/** AM319 with the formaldehyde sensor; the one with ozone writes other numbers into the same places and is not claimed. */
export const am319: Model = am300(22, [...particles, [20, formaldehyde]])

/** AM100 series: the generation before. */
export const am100: Model = model([
  [0x03, 0x67, air],
  [0x04, 0x68, humidity],
  [0x05, 0x6a, wide('activity', '1')],
  [
    0x06,
    0x65,
    {
      length: 6,
      read: (data) => ({
        readings: [
          { signal: 'illuminance', value: data.getUint16(0, true), unit: 'lx' },
          { signal: 'broadband-light', value: data.getUint16(2, true), unit: '1' },
          { signal: 'infrared-light', value: data.getUint16(4, true), unit: '1' },
        ],
      }),
    },
  ],
  [0x07, 0x7d, wide('co2', '[ppm]')],
  [0x08, 0x7d, wide('voc', 'ug/m3')],
  [0x09, 0x73, wide('pressure-air', 'hPa', 10)],
])
