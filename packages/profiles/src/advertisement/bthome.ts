/**
 * BTHome version 1 (service 0x181C, encrypted 0x181E) and version 2 (0xFCD2): sensors that advertise.
 * Source: bthome.io/format, bthome.io/encryption.
 *
 * A packet id (one byte) and an encryption counter (begins anew when the battery is changed) tell copies of one advertisement
 * apart within seconds and identify nothing for longer: they are attributes, not the frame's sequence.
 */
import type { DecodedFrame } from '@careloop/contract'
import { ByteReader, toHex } from '../byte-reader.ts'
import { checkAddress } from '../envelope.ts'
import { fail } from '../errors.ts'
import type { DecodeContext } from '../profile.ts'
import { readAdvertisement } from './advertisement.ts'
import { decryptV1, decryptV2 } from './bthome-encryption.ts'
import { btHomeObjects } from './bthome-objects.ts'
import { BtHomePayload, type NumberForm, takeObject } from './bthome-payload.ts'
import { asHeard, inSection } from './section.ts'

export function decodeBtHome(bytes: Uint8Array, context: DecodeContext = {}): DecodedFrame {
  const advertisement = readAdvertisement(bytes, context)
  const address = advertisement.address ?? context.address
  const around = { ...context, ...(address === undefined ? {} : { address }) }
  const v2 = advertisement.service.get('fcd2')
  if (v2 !== undefined)
    return asHeard(
      inSection(v2, (data) => versionTwo(data, around)),
      advertisement,
    )
  const v1Encrypted = advertisement.service.get('181e')
  if (v1Encrypted !== undefined) {
    return asHeard(
      inSection(v1Encrypted, (data) => versionOneEncrypted(data, around)),
      advertisement,
    )
  }
  const v1 = advertisement.service.get('181c')
  if (v1 !== undefined)
    return asHeard(
      inSection(v1, (data) => versionOneClear(data, around)),
      advertisement,
    )
  throw fail('frame-unsupported', 'The advertisement holds no service data of BTHome.', { pointer: '' })
}

// ---------------------------------------------------------------- version 2

const ENCRYPTED = 1
const HAS_ADDRESS = 2
const ON_TRIGGER = 4

/** @param data what stands behind the service number: device information, then objects */
function versionTwo(data: Uint8Array, context: DecodeContext): DecodedFrame {
  const reader = new ByteReader(data)
  const info = reader.u8('device information')
  if (info >> 5 !== 2) {
    throw fail('frame-unsupported', 'The device information names another version of BTHome than 2.', { pointer: '@0' })
  }
  const mac = info & HAS_ADDRESS ? toHex(reader.take(6, 'address').toReversed()) : undefined
  checkAddress(mac, context, '@1')
  const payload = new BtHomePayload()
  if (info & ON_TRIGGER) payload.attribute('sendsOnTrigger', true)
  if (info & 0x18) payload.warn('Reserved bits are set in the device information.')
  const start = reader.offset
  const rest = reader.take(reader.remaining, 'payload')
  if (info & ENCRYPTED) {
    const { clear, counter } = decryptV2(rest, info, mac ?? context.address, context.bindKey)
    payload.attribute('encryptionCounter', counter)
    return objectsOf(new ByteReader(clear, start), payload)
  }
  refuseDowngrade(context)
  return objectsOf(new ByteReader(rest, start), payload)
}

function objectsOf(reader: ByteReader, payload: BtHomePayload): DecodedFrame {
  let known = 0
  while (reader.remaining > 0) {
    const id = reader.u8('object id')
    const object = btHomeObjects.get(id)
    if (object === undefined) {
      if (known === 0) throw fail('frame-unsupported', `BTHome object ${id} is not known.`, { pointer: reader.at(1) })
      // Its length is unknown, and with it where the next begins. Objects are sorted: what is newer than we are stands last.
      payload.warn(`BTHome object ${id} is not known; it and what follows it is not read.`)
      break
    }
    payload.add(object, takeObject(object, reader))
    known++
  }
  return nonEmpty(payload)
}

/** With a key set, whoever sends in the clear is not the device, or no longer the device that was enrolled. */
function refuseDowngrade(context: DecodeContext): void {
  if (context.bindKey === undefined) return
  throw fail('frame-encrypted', 'A key is set for this device and the frame is not encrypted.', { pointer: '@0' })
}

// ---------------------------------------------------------------- version 1

function versionOneClear(data: Uint8Array, context: DecodeContext): DecodedFrame {
  refuseDowngrade(context)
  return versionOne(data, new BtHomePayload(), context)
}

function versionOneEncrypted(data: Uint8Array, context: DecodeContext): DecodedFrame {
  const payload = new BtHomePayload()
  const { clear, counter } = decryptV1(data, context.address, context.bindKey)
  payload.attribute('encryptionCounter', counter)
  return versionOne(clear, payload, context)
}

const FORMS: readonly (NumberForm | undefined)[] = ['unsigned', 'signed', 'float']
const ADDRESS_FORM = 4

/** Each object: control byte (format in bits 5-7, length in bits 0-4), object id, value. */
function versionOne(data: Uint8Array, payload: BtHomePayload, context: DecodeContext): DecodedFrame {
  const reader = new ByteReader(data)
  while (reader.remaining > 0) {
    const control = reader.u8('control byte')
    const length = control & 31
    if (length === 0) continue
    if (control >> 5 === ADDRESS_FORM) {
      checkAddress(toHex(reader.take(length, 'address').toReversed()), context, reader.at(length))
      continue
    }
    const id = reader.u8('object id')
    const value = reader.take(length - 1, 'value')
    const object = btHomeObjects.get(id)
    if (object === undefined) {
      payload.warn(`BTHome object ${id} is not known and not read.`)
      continue
    }
    const form = FORMS[control >> 5]
    if (!isReadable(object.kind, value.length, form)) {
      throw fail('frame-invalid', `BTHome object ${id} has a length or format it cannot have.`, {
        pointer: reader.at(value.length),
      })
    }
    payload.add(object, value, form)
  }
  return nonEmpty(payload)
}

function isReadable(kind: string, length: number, form: NumberForm | undefined): boolean {
  if (kind === 'text' || kind === 'raw') return true
  if (kind === 'timestamp') return length === 4
  if (kind === 'number' && form === undefined) return false
  if (kind === 'number' && form === 'float') return length === 2 || length === 4 || length === 8
  return length >= 1 && length <= 6
}

function nonEmpty(payload: BtHomePayload): DecodedFrame {
  if (payload.isEmpty) throw fail('frame-truncated', 'The frame holds no BTHome object.', { pointer: '@0' })
  return payload.frame()
}
