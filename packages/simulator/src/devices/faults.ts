/** What goes wrong on the way: a device with a script of faults says the same things late, twice, with a wrong time or garbled. */
import type { EpochMs } from '@careloop/contract'
import { HOUR } from '../signals/day-rhythm.ts'
import { type Incident, incidentAt } from '../signals/incident.ts'
import { hash, seedOf } from '../signals/noise.ts'
import { momentsOf, type Utterance, type VirtualDevice } from './virtual-device.ts'

/** The device as its surroundings let it be heard. Pure as the device itself: what an outage held back is said again, not kept. */
export function withFaults(device: VirtualDevice, script: readonly Incident[]): VirtualDevice {
  const said = (at: EpochMs): Utterance[] => {
    const utterances = device.say(at).map((utterance) => mistimed(utterance, script, at))
    const twice = incidentAt(script, 'duplicate-sends', at) ? utterances.flatMap((each) => [each, each]) : utterances
    return incidentAt(script, 'garbage', at)
      ? [...twice, { what: 'frame', at, bytes: garbage(device.name, at) }]
      : twice
  }
  return {
    ...device,
    say(at) {
      if (incidentAt(script, 'gateway-outage', at)) return []
      return [...missed(device, script, at).flatMap(said), ...said(at)]
    },
  }
}

/** The moments of outages that ended since the device's last moment. */
function missed(device: VirtualDevice, script: readonly Incident[], at: EpochMs): EpochMs[] {
  return script.flatMap(({ kind, from, to }) => {
    if (kind !== 'gateway-outage' || to === undefined || to > at || to <= at - device.everyMs) return []
    return [...momentsOf(device, from, to)]
  })
}

/** Only what carries its time in plain JSON can be wrong about it. */
function mistimed(utterance: Utterance, script: readonly Incident[], at: EpochMs): Utterance {
  const wrong = incidentAt(script, 'wrong-clock', at)
  if (!wrong || utterance.what !== 'measurement') return utterance
  return { ...utterance, at: utterance.at + (wrong.clockOffsetMs ?? HOUR) }
}

/** 1 to 40 bytes that begin like no message. */
function garbage(name: string, at: EpochMs): Uint8Array {
  const seed = seedOf(name)
  const length = 1 + (hash(seed, at) % 40)
  const bytes = Uint8Array.from({ length }, (_, n) => hash(seed + n, at) & 0xff)
  bytes[0] = 0xff // not UTF-8, so neither JSON nor SenML; and no length of an advertisement that fits
  return bytes
}
