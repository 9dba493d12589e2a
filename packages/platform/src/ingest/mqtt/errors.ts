import { failures } from '@careloop/contract'

/** Expected failures of the MQTT door; docs/errors.md says what each means. */
export const mqttErrors = {
  'mqtt-port-unavailable': { disposition: 'retry', status: 503, issue: 'transient' },
  'mqtt-sessions-unavailable': { disposition: 'retry', status: 503, issue: 'transient' },
  'mqtt-session-moved': { disposition: 'retry', status: 409, issue: 'conflict' },
} as const

export const mqttFailure = failures(mqttErrors)
