/** A device that is used once a day, at about the same hour. */
import { DAY, HOUR } from '../signals/day-rhythm.ts'
import { uniform } from '../signals/noise.ts'
import type { Person } from '../signals/person.ts'
import type { VirtualDevice } from './virtual-device.ts'

/** @param hour local hour of day; each day differs by up to 20 minutes */
export const oncePerDay = (
  device: VirtualDevice,
  { seed, zoneOffsetMs }: Pick<Person, 'seed' | 'zoneOffsetMs'>,
  hour: number,
): VirtualDevice => ({
  ...device,
  everyMs: DAY,
  say(at) {
    const day = Math.floor((at + zoneOffsetMs) / DAY)
    const shift = (uniform(seed + 99, day) - 0.5) * (40 / 60)
    const used = Math.round(day * DAY - zoneOffsetMs + (hour + shift) * HOUR)
    // Told when it was used: the moment that asks may lie anywhere in the day, and nothing is measured in the future.
    return used <= at ? device.say(used) : device.say(used - DAY)
  },
})
