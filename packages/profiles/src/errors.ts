/** Why a codec refuses a frame. The pointer is a byte offset (`@12`) or a JSON pointer (`/uplink_message/frm_payload`). */
import { type FailureKind, failures } from '@careloop/contract'

export const errors = {
  /** The frame ends before what it announces. */
  'frame-truncated': { disposition: 'reject', status: 400, issue: 'structure' },
  /** The frame contradicts its format: a bad checksum, an impossible field, bytes left over. */
  'frame-invalid': { disposition: 'reject', status: 400, issue: 'invalid' },
  /** A frame of a kind that this profile does not read. */
  'frame-unsupported': { disposition: 'reject', status: 422, issue: 'processing' },
  /** Encrypted, and the key is missing or wrong; or in the clear although a key is set. */
  'frame-encrypted': { disposition: 'reject', status: 422, issue: 'security' },
  /** The frame names another device than the one it was sent for. */
  'frame-wrong-device': { disposition: 'reject', status: 422, issue: 'security' },
} as const satisfies Record<string, FailureKind>

export const fail = failures(errors)
