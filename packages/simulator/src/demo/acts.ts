/** The demo's script: which devices live, over which protocol, and what goes wrong when. docs/demo.md tells it to people. */
import type { EpochMs } from '@careloop/contract'
import { em300Th, fridgeProbe, ruuviTag } from '../devices/environmental.ts'
import { withFaults } from '../devices/faults.ts'
import {
  bedsideMonitor,
  bloodPressureCuff,
  glucoseMeter,
  glucoseMonitor,
  pulseOximeter,
  scale,
  thermometer,
} from '../devices/personal.ts'
import { type Telling, toldAt } from '../devices/told-at.ts'
import type { Utterance, VirtualDevice } from '../devices/virtual-device.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../signals/day-rhythm.ts'
import { aPerson } from '../signals/person.ts'
import { aRefrigerator } from '../signals/refrigerator.ts'
import type { Credential } from '../speakers/speaker.ts'

/** The way a device speaks in the demo. */
export type Way =
  | { readonly protocol: 'mqtt'; readonly version: 4 | 5; readonly topics?: 'careloop' | 'thingsboard' }
  | { readonly protocol: 'http'; readonly format: 'json' | 'senml'; readonly gzip: boolean }

export interface Act {
  readonly device: VirtualDevice
  readonly wornBy: string
  readonly credential: Credential['kind']
  readonly way: Way
  /** How far back it tells its past at the first run, ms; later runs tell what was measured since the last one. */
  readonly pastMs: number
}

const mqtt = (version: 4 | 5, topics?: 'thingsboard'): Way => ({
  protocol: 'mqtt',
  version,
  ...(topics ? { topics } : {}),
})
const http = (format: 'json' | 'senml', gzip = false): Way => ({ protocol: 'http', format, gzip })

/** Until when each device has told what it measured, in earlier runs. */
export type ToldUntil = Readonly<Record<string, EpochMs>>

/** @param start when the demo's clock begins; incidents count from it */
export function actsOf(start: EpochMs, zoneOffsetMs: number, toldUntil: ToldUntil): Act[] {
  return [...people(start, zoneOffsetMs), ...refrigerators(start, toldUntil)]
}

function people(start: EpochMs, zoneOffsetMs: number): Act[] {
  const at = (ms: number) => start + ms
  const ward = aPerson('wanda', {
    zoneOffsetMs,
    script: [{ kind: 'desaturation', from: at(MINUTE), to: at(6 * MINUTE) }],
  })
  const sugar = aPerson('sugrim', { zoneOffsetMs })
  const monitor = bedsideMonitor(ward, { name: 'bedside-monitor' })
  const warm = thermometer(ward, { name: 'thermometer-ahead', everyMs: 10 * MINUTE })
  const tokens = { credential: 'token' } as const
  return [
    {
      ...{ device: crisisCuff(start, zoneOffsetMs), wornBy: 'crisis' },
      ...{ credential: 'certificate', way: mqtt(5), pastMs: CRISIS_HISTORY },
    },
    {
      device: withFaults(monitor, [{ kind: 'duplicate-sends', from: at(30 * SECOND), to: at(MINUTE) }]),
      ...{ ...tokens, wornBy: 'ward', way: mqtt(4, 'thingsboard'), pastMs: 20 * MINUTE },
    },
    {
      ...{ device: pulseOximeter(ward, { name: 'oximeter' }), wornBy: 'ward' },
      ...{ credential: 'certificate', way: mqtt(4), pastMs: 0 },
    },
    {
      device: withFaults(warm, [{ kind: 'wrong-clock', from: start - DAY, clockOffsetMs: HOUR }]),
      ...{ ...tokens, wornBy: 'ward', way: http('json'), pastMs: 0 },
    },
    { device: glucoseMonitor(sugar, { name: 'cgm' }), wornBy: 'sugar', ...tokens, way: http('senml'), pastMs: 2 * DAY },
    {
      device: glucoseMeter(sugar, { name: 'glucose-meter' }),
      wornBy: 'sugar',
      ...tokens,
      way: http('json'),
      pastMs: 7 * DAY,
    },
    { device: risingCuff(start), wornBy: 'sugar', ...tokens, way: mqtt(4), pastMs: 0 },
    { device: scale(sugar, { name: 'scale' }), wornBy: 'sugar', ...tokens, way: http('json', true), pastMs: 30 * DAY },
  ]
}

const CRISIS_HISTORY = 14 * DAY

/**
 * A home cuff that keeps what it measured. The crisis was measured two minutes before it is told, and once more when it is told:
 * the rule asks for a repeat within 1 to 5 minutes, and nobody waits for that at a screen.
 */
function crisisCuff(start: EpochMs, zoneOffsetMs: number): VirtualDevice {
  const told = start + 8 * SECOND
  const person = aPerson('cosmo', {
    ...{ zoneOffsetMs, systolic: 116, diastolic: 73 },
    script: [{ kind: 'hypertensive-crisis', from: told - 3 * MINUTE, to: start + 12 * MINUTE }],
  })
  const twiceADay: Telling[] = []
  for (let at = start - CRISIS_HISTORY; at < start - 2 * HOUR; at += DAY / 2) twiceADay.push({ at, measuredAt: [at] })
  const afterwards = [6, 14, 16, 30].map((minutes) => start + minutes * MINUTE)
  const script: Telling[] = [
    ...twiceADay,
    { at: told, measuredAt: [told - 2 * MINUTE, told] },
    ...afterwards.map((at) => ({ at, measuredAt: [at] })),
  ]
  return toldAt(bloodPressureCuff(person, { name: 'cuff-crisis' }), script, 5 * SECOND)
}

/** A cuff that is synchronised now: it was high yesterday and the day before at the same hour, and is now. */
function risingCuff(start: EpochMs): VirtualDevice {
  const told = start + 25 * SECOND
  const person = aPerson('sugrim-rises', { systolic: 158, diastolic: 98 })
  const script: Telling[] = [{ at: told, measuredAt: [told - 2 * DAY, told - DAY, told] }]
  return toldAt(bloodPressureCuff(person, { name: 'cuff-sugar' }), script, 5 * SECOND)
}

/** When the gateway of refrigerator 3 comes back, and for how long it was away. */
const BACK = 30 * SECOND
const AWAY = 3 * HOUR

function refrigerators(start: EpochMs, toldUntil: ToldUntil): Act[] {
  const at = (ms: number) => start + ms
  const tokens = { credential: 'token', wornBy: 'fridge-3' } as const
  // Its door stood open while nobody could hear it: found late.
  const third = aRefrigerator('three', {
    script: [{ kind: 'door-open', from: at(-150 * MINUTE), to: at(-110 * MINUTE) }],
  })
  const behindGateway = (device: VirtualDevice): VirtualDevice => {
    // What an earlier run has told is not told again: the same moment would have another value, and be a conflict.
    const from = Math.max(at(BACK - AWAY), toldUntil[device.name] ?? 0)
    return withFaults(device, [{ kind: 'gateway-outage', from, to: at(BACK) }])
  }
  const tag = ruuviTag(third, { name: 'fridge-3-ruuvi', everyMs: 20 * SECOND })
  return [
    {
      ...{ device: leftOpen(start), wornBy: 'fridge-2' },
      ...{ credential: 'certificate', way: mqtt(5), pastMs: DAY },
    },
    {
      device: withFaults(tag, [{ kind: 'garbage', from: at(30 * SECOND), to: at(100 * SECOND) }]),
      ...{ ...tokens, way: mqtt(4), pastMs: 0 },
    },
    {
      device: behindGateway(em300Th(third, { name: 'fridge-3-em300', everyMs: MINUTE })),
      ...{ ...tokens, way: mqtt(5), pastMs: DAY },
    },
    {
      device: behindGateway(
        calmBefore(at(BACK - AWAY), fridgeProbe(third, { name: 'fridge-3-probe', everyMs: 20 * SECOND })),
      ),
      ...{ ...tokens, way: mqtt(5), pastMs: DAY },
    },
    {
      ...{ device: dying(start), wornBy: 'fridge-4' },
      ...{ credential: 'token', way: mqtt(5), pastMs: DAY },
    },
  ]
}

/** How long a door stands open before the rule speaks: it is left so long before the start that this is within the first minute. */
const DOOR_PATIENCE = 3 * MINUTE

function leftOpen(start: EpochMs): VirtualDevice {
  const from = start + 20 * SECOND - DOOR_PATIENCE
  const open = aRefrigerator('two', { script: [{ kind: 'door-open', from, to: start + 50 * MINUTE }] })
  return calmBefore(start - 10 * MINUTE, fridgeProbe(open, { name: 'fridge-2-probe', everyMs: 20 * SECOND }))
}

/** What the rule holds for low, %; a dying probe falls from 30 % to nothing in ten minutes, and is silent then. */
const LOW = 20

function dying(start: EpochMs): VirtualDevice {
  const from = start + 20 * SECOND - 10 * MINUTE * (1 - LOW / 30)
  const fridge = aRefrigerator('four', { script: [{ kind: 'dying-probe', from }] })
  return calmBefore(start - 10 * MINUTE, fridgeProbe(fridge, { name: 'fridge-4-probe', everyMs: 20 * SECOND }))
}

/**
 * A logger that is read each 20 s measures each 5 minutes by itself: its day is told in hundreds of messages, not thousands. Its
 * door contact is then left out: one look in 5 minutes would make a door that was opened for a moment one that stood open.
 */
const calmBefore = (end: EpochMs, device: VirtualDevice): VirtualDevice => ({
  ...device,
  say(at) {
    if (at >= end) return device.say(at)
    return Math.floor(at / device.everyMs) % 15 === 0 ? device.say(at).map(withoutDoor) : []
  },
})

function withoutDoor(utterance: Utterance): Utterance {
  if (utterance.what !== 'measurement') return utterance
  const { 'door-open': _, ...values } = utterance.values
  return { ...utterance, values }
}
