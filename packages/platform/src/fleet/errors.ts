import { failures } from '@careloop/contract'

/** Expected failures of the fleet room; docs/errors.md says what each means. */
export const fleetErrors = {
  'device-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'device-name-taken': { disposition: 'reject', status: 409, issue: 'duplicate' },
  'device-address-taken': { disposition: 'reject', status: 409, issue: 'duplicate' },
  'profile-unknown': { disposition: 'reject', status: 422, issue: 'value' },
  'gateway-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'gateway-name-taken': { disposition: 'reject', status: 409, issue: 'duplicate' },
  'credential-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'credential-known': { disposition: 'reject', status: 409, issue: 'duplicate' },
  'credential-expiry-wrong': { disposition: 'reject', status: 422, issue: 'value' },
  'claim-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'claim-refused': { disposition: 'reject', status: 401, issue: 'security' },
  'csr-key-used': { disposition: 'reject', status: 422, issue: 'security' },
  'renewal-refused': { disposition: 'reject', status: 401, issue: 'security' },
  'renewal-too-early': { disposition: 'retry', status: 429, issue: 'throttled' },
  'device-worn': { disposition: 'reject', status: 409, issue: 'conflict' },
  'device-not-worn': { disposition: 'reject', status: 409, issue: 'conflict' },
  'assignment-not-yours': { disposition: 'reject', status: 403, issue: 'forbidden' },
  'assignment-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'assignment-span-wrong': { disposition: 'reject', status: 422, issue: 'value' },
  'assignment-in-future': { disposition: 'reject', status: 422, issue: 'value' },
  'assignment-overlaps': { disposition: 'reject', status: 409, issue: 'conflict' },
  'assignment-edited-twice': { disposition: 'reject', status: 422, issue: 'value' },
  'correction-empty': { disposition: 'reject', status: 422, issue: 'value' },
  'correction-reason-missing': { disposition: 'reject', status: 422, issue: 'required' },
} as const

export const fleetFailure = failures(fleetErrors)
