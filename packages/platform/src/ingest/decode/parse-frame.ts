/** Bytes to what they say, by the frame's format and the device's profile. Pure. */
import { Failure } from '@careloop/contract'
import { errors as codecErrors, type Profile, profile } from '@careloop/profiles'
import type { RadioIdentity } from '../../fleet/index.ts'
import type { Frame } from '../door.ts'
import { parseJson } from './json.ts'
import { type Parsed, Unreadable } from './names.ts'
import { parseSenml } from './senml.ts'

/**
 * @param radio gives the device's address and bind key; asked only for bytes that its profile reads
 * @throws Unreadable with a pointer when nothing can be made of the frame
 */
export function parseFrame(frame: Frame, radio: () => RadioIdentity): Parsed {
  const model = profile(frame.device.profile)
  if (!model)
    throw new Unreadable(
      '',
      `The device's profile is not installed here. Install it, or enrol the device with another.`,
    )
  if (frame.format === 'profile') return parseByProfile(frame, model, radio)
  return frame.format === 'senml' ? parseSenml(frame.bytes, model, frame.receivedAt) : parseJson(frame.bytes, model)
}

function parseByProfile(frame: Frame, model: Profile, radio: () => RadioIdentity): Parsed {
  if (!model.decode)
    throw new Unreadable(
      '',
      `The device's profile reads no raw bytes. Send JSON or SenML, or enrol it with another profile.`,
    )
  try {
    const decoded = model.decode(frame.bytes, { ...radio(), receivedAt: frame.receivedAt })
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
    throw isRefusal(error) ? new Unreadable(error.pointer, error.message, reasonOf(error)) : error
  }
}

/** A codec refuses by one of its own codes; whatever else it throws is a fault of ours. */
const isRefusal = (error: unknown): error is Failure => error instanceof Failure && error.code in codecErrors

const reasonOf = (refusal: Failure) => (refusal.code === 'frame-wrong-device' ? 'wrong-device' : 'bad-frame')
