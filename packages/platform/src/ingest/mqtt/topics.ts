/**
 * Topics of a device: its own under its id or name, and ThingsBoard's `v1/devices/me/...`, which firmware already speaks.
 * Matching is a prefix check against strings made once a connection and one look-up of the suffix.
 */
import type { FrameFormat } from '@careloop/contract'
import { allowances } from '../device-allowance.ts'
import type { DeviceIdentity, Frame } from '../door.ts'

export interface Route {
  readonly kind: Frame['kind']
  /** null = as the content type or the device's profile says */
  readonly format: FrameFormat | null
}

const ME = 'v1/devices/me/'
const OTHERS = 'devices/'

const ownRoutes = new Map<string, Route>([
  ['telemetry', { kind: 'telemetry', format: null }],
  ['telemetry/json', { kind: 'telemetry', format: 'json' }],
  ['telemetry/senml', { kind: 'telemetry', format: 'senml' }],
  ['telemetry/raw', { kind: 'telemetry', format: 'profile' }],
  // Attributes and status are about the device itself and always JSON; a profile's codec does not read them.
  ['attributes', { kind: 'attributes', format: 'json' }],
  ['status', { kind: 'status', format: 'json' }],
])

const meRoutes = new Map<string, Route>([
  ['telemetry', { kind: 'telemetry', format: null }],
  ['attributes', { kind: 'attributes', format: 'json' }],
])

export type Unrouted = 'wrong-device' | 'not-allowed'

export class DeviceTopics {
  readonly #byId: string
  readonly #byName: string
  readonly #takesSettings: boolean

  constructor(device: DeviceIdentity) {
    this.#byId = `${OTHERS}${device.device}/`
    this.#byName = `${OTHERS}${device.name}/`
    this.#takesSettings = allowances[device.classification].takesSettings
  }

  /** Where a publish goes, or why it may not. */
  route(topic: string): Route | Unrouted {
    const suffix = this.#ownSuffix(topic)
    if (suffix !== null) return ownRoutes.get(suffix) ?? 'not-allowed'
    if (topic.startsWith(ME)) return meRoutes.get(topic.slice(ME.length)) ?? 'not-allowed'
    return topic.startsWith(OTHERS) ? 'wrong-device' : 'not-allowed'
  }

  /** What a subscription to `filter` gives. */
  subscription(filter: string): Subscribable {
    if (!isFilter(filter)) return 'invalid'
    if (filter.startsWith('$share/')) return 'shared'
    const isSettings = this.#ownSuffix(filter) === 'settings' || filter === `${ME}attributes`
    if (isSettings) return this.#takesSettings ? 'settings' : 'not-authorized'
    return silent.has(filter) ? 'silent' : 'not-authorized'
  }

  #ownSuffix(topic: string): string | null {
    if (topic.startsWith(this.#byId)) return topic.slice(this.#byId.length)
    if (topic.startsWith(this.#byName)) return topic.slice(this.#byName.length)
    return null
  }
}

/**
 * - `settings`: the device's settings come there, retained.
 * - `silent`: granted, and nothing is ever sent there. ThingsBoard's firmware subscribes to these at start and treats a refusal as
 *   a failed connection.
 */
export type Subscribable = 'settings' | 'silent' | 'not-authorized' | 'shared' | 'invalid'

const silent = new Set([`${ME}rpc/request/+`, `${ME}rpc/response/+`, `${ME}attributes/response/+`])

/** Whether a topic filter is well formed (MQTT 5.0, 4.7): `#` only as the last level, `+` only as a whole one. */
function isFilter(filter: string): boolean {
  if (filter === '') return false
  const levels = filter.split('/')
  return levels.every(
    (level, index) =>
      level === '+' || (level === '#' && index === levels.length - 1) || !(level.includes('+') || level.includes('#')),
  )
}

/** Whether a name may be published to: not empty, no wildcard. */
export function isTopicName(topic: string): boolean {
  return topic !== '' && !topic.includes('+') && !topic.includes('#')
}

/** Format that an MQTT 5 content type asks for; null when it says nothing that we know. Parameters after `;` do not matter. */
export function formatOfContentType(contentType: string): FrameFormat | null {
  switch (contentType.split(';', 1)[0]!.trim().toLowerCase()) {
    case 'application/senml+json':
      return 'senml'
    case 'application/octet-stream':
      return 'profile'
    case 'application/json':
      return 'json'
    default:
      return null
  }
}
