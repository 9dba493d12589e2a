/**
 * AES-128-CCM of BTHome with a tag of 4 bytes. The nonce is the address, the service number, (version 2: the device information)
 * and a counter; counter and tag stand at the end of the frame.
 */
import { createDecipheriv } from 'node:crypto'
import { bareAddress } from '../envelope.ts'
import { fail } from '../errors.ts'

const TAG = 4
const COUNTER = 4

interface Decrypted {
  readonly clear: Uint8Array
  readonly counter: number
}

/** @throws Failure `frame-encrypted` when key or address is missing or wrong, `frame-truncated` */
export function decryptV2(
  data: Uint8Array,
  info: number,
  address: string | undefined,
  key: Uint8Array | undefined,
): Decrypted {
  return decrypt(data, [0xd2, 0xfc, info], undefined, address, key)
}

/** @throws Failure `frame-encrypted` when key or address is missing or wrong, `frame-truncated` */
export function decryptV1(data: Uint8Array, address: string | undefined, key: Uint8Array | undefined): Decrypted {
  return decrypt(data, [0x1e, 0x18], Buffer.of(0x11), address, key)
}

function decrypt(
  data: Uint8Array,
  service: readonly number[],
  associated: Uint8Array | undefined,
  address: string | undefined,
  key: Uint8Array | undefined,
): Decrypted {
  if (key === undefined || key.length !== 16) {
    throw fail('frame-encrypted', 'The frame is encrypted. Set the bind key of the device (16 bytes).', {
      pointer: '@0',
    })
  }
  const mac = Buffer.from(bareAddress(address ?? ''), 'hex')
  if (mac.length !== 6) {
    throw fail('frame-encrypted', 'The frame is encrypted. Set the Bluetooth address of the device.', { pointer: '@0' })
  }
  const length = data.length - COUNTER - TAG
  if (length < 0)
    throw fail('frame-truncated', 'The frame ends before its counter and tag.', { pointer: `@${data.length}` })
  const counter = Buffer.from(data.subarray(length, length + COUNTER))
  const nonce = Buffer.concat([mac, Buffer.from(service), counter])
  const decipher = createDecipheriv('aes-128-ccm', key, nonce, { authTagLength: TAG })
  decipher.setAuthTag(data.subarray(length + COUNTER))
  if (associated !== undefined) decipher.setAAD(associated, { plaintextLength: length })
  try {
    const clear = decipher.update(data.subarray(0, length))
    decipher.final()
    return { clear, counter: counter.readUInt32LE(0) }
  } catch (cause) {
    throw fail('frame-encrypted', 'The frame does not open with the bind key of this device. Check the key.', {
      pointer: '@0',
      cause,
    })
  }
}
