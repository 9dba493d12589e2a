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
import type { VirtualDevice } from '../devices/virtual-device.ts'
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

/** @param start when the demo's clock begins; incidents count from it */
export function actsOf(start: EpochMs, zoneOffsetMs: number): Act[] {
  return [...people(start, zoneOffsetMs), ...refrigerators(start)]
}

function people(start: EpochMs, zoneOffsetMs: number): Act[] {
  const at = (ms: number) => start + ms
  const crisis = aPerson('cosmo', {
    ...{ zoneOffsetMs, systolic: 126, diastolic: 79 },
    script: [{ kind: 'hypertensive-crisis', from: at(14 * SECOND), to: at(12 * MINUTE) }],
  })
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
      ...{ device: bloodPressureCuff(crisis, { name: 'cuff-crisis', everyMs: 12 * SECOND }), wornBy: 'crisis' },
      ...{ credential: 'certificate', way: mqtt(5), pastMs: 0 },
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
    { device: scale(sugar, { name: 'scale' }), wornBy: 'sugar', ...tokens, way: http('json', true), pastMs: 30 * DAY },
  ]
}

function refrigerators(start: EpochMs): Act[] {
  const at = (ms: number) => start + ms
  const open = aRefrigerator('two', { script: [{ kind: 'door-open', from: at(2 * MINUTE), to: at(50 * MINUTE) }] })
  const dying = aRefrigerator('four', { script: [{ kind: 'dying-probe', from: at(MINUTE) }] })
  const tag = ruuviTag(aRefrigerator('three'), { name: 'fridge-3-ruuvi', everyMs: 20 * SECOND })
  const lora = em300Th(aRefrigerator('three'), { name: 'fridge-3-em300', everyMs: 2 * MINUTE })
  const tokens = { credential: 'token', wornBy: 'fridge-3' } as const
  return [
    {
      ...{ device: fridgeProbe(open, { name: 'fridge-2-probe', everyMs: MINUTE }), wornBy: 'fridge-2' },
      ...{ credential: 'certificate', way: mqtt(5), pastMs: 6 * HOUR },
    },
    {
      device: withFaults(tag, [{ kind: 'garbage', from: at(30 * SECOND), to: at(100 * SECOND) }]),
      ...{ ...tokens, way: mqtt(4), pastMs: 0 },
    },
    {
      device: withFaults(lora, [{ kind: 'gateway-outage', from: at(3 * MINUTE), to: at(20 * MINUTE) }]),
      ...{ ...tokens, way: mqtt(5), pastMs: DAY },
    },
    {
      ...{ device: fridgeProbe(dying, { name: 'fridge-4-probe', everyMs: 30 * SECOND }), wornBy: 'fridge-4' },
      ...{ credential: 'token', way: mqtt(5), pastMs: 2 * HOUR },
    },
  ]
}
