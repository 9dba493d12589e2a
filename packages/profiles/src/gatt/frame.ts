/** What every health characteristic gives back, put together in one way. */
import type { DecodedFrame, DecodedReading } from '@careloop/contract'
import type { GattTime } from './date-time.ts'

type Attributes = Record<string, string | number | boolean>

interface Around {
  readonly time?: GattTime | undefined
  /** The device said so itself, by a flag. */
  readonly clockUnset?: boolean
  /** 255 = unknown user. */
  readonly user?: number | undefined
  readonly sequence?: number
  readonly warnings?: readonly (string | undefined)[]
  readonly attributes?: Attributes
}

export function gattFrame(readings: readonly DecodedReading[], around: Around): DecodedFrame {
  const clockUnset = around.clockUnset === true || around.time?.isKnown === false
  const warnings = (around.warnings ?? []).filter((warning) => warning !== undefined)
  if (clockUnset) warnings.push('The clock of the device is not set; its time is not used.')
  const attributes = around.attributes ?? {}
  return {
    readings,
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
    ...(around.sequence === undefined ? {} : { sequence: around.sequence }),
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(around.user === undefined || around.user === 255 ? {} : { userIndex: around.user }),
    ...(clockUnset ? { clockUnset } : {}),
  }
}

/** A warning when bits are set that the specification reserves: what is known was read, what is not was left. */
export function reservedBits(what: string, bits: number, reserved: number): string | undefined {
  return (bits & reserved) === 0 ? undefined : `Reserved bits are set in the ${what}.`
}

/** Only the attributes that say something: a list of twenty times "false" hides the one "true". */
export function someAttributes(flags: Readonly<Record<string, boolean>>): Attributes {
  return Object.fromEntries(Object.entries(flags).filter(([, isSet]) => isSet))
}
