/** Bytes to what they say, by the frame's format and the device's profile. Pure. */
import { Failure } from '@careloop/contract'
import { type Profile, profile } from '@careloop/profiles'
import type { Frame } from '../door.ts'
import { parseJson } from './json.ts'
import { type Parsed, Unreadable } from './names.ts'
import { parseSenml } from './senml.ts'

/** @throws Unreadable with a pointer when nothing can be made of the frame */
export function parseFrame(frame: Frame): Parsed {
  const model = profile(frame.device.profile)
  if (!model)
    throw new Unreadable(
      '',
      `The device's profile is not installed here. Install it, or enrol the device with another.`,
    )
  if (frame.format === 'profile') return parseByProfile(frame, model)
  return frame.format === 'senml' ? parseSenml(frame.bytes, model, frame.receivedAt) : parseJson(frame.bytes, model)
}

function parseByProfile(frame: Frame, model: Profile): Parsed {
  if (!model.decode)
    throw new Unreadable(
      '',
      `The device's profile reads no raw bytes. Send JSON or SenML, or enrol it with another profile.`,
    )
  try {
    const decoded = model.decode(frame.bytes, { receivedAt: frame.receivedAt })
    return {
      readings: decoded.readings.map((reading, i) => ({
        signal: reading.signal,
        value: reading.value,
        unit: reading.unit,
        ...(reading.time ? { time: reading.time } : {}),
        ...(reading.untrustedTime ? { untrustedTime: reading.untrustedTime } : {}),
        ordinal: reading.ordinal ?? 0,
        group: reading.group ?? 0,
        pointer: `/readings/${i}`,
      })),
      faults: [],
      enveloped: true,
      ...(decoded.userIndex === undefined ? {} : { userIndex: decoded.userIndex }),
      ...(decoded.sequence === undefined ? {} : { sequence: decoded.sequence }),
      ...(decoded.attributes ? { attributes: decoded.attributes } : {}),
      ...(decoded.warnings ? { warnings: decoded.warnings } : {}),
    }
  } catch (error) {
    if (error instanceof Failure) throw new Unreadable(error.pointer, error.message)
    throw error
  }
}
