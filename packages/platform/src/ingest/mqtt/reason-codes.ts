/** MQTT 5.0 reason codes that this door sends (OASIS MQTT 5.0, 2.4), and what a 3.1.1 CONNACK says instead. */
export const Reason = {
  success: 0x00,
  disconnectWithWill: 0x04,
  noSubscriptionExisted: 0x11,
  unspecified: 0x80,
  malformedPacket: 0x81,
  protocolError: 0x82,
  implementationError: 0x83,
  unsupportedVersion: 0x84,
  clientIdInvalid: 0x85,
  badCredentials: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  serverBusy: 0x89,
  badAuthenticationMethod: 0x8c,
  serverShuttingDown: 0x8b,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  packetIdNotFound: 0x92,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
  payloadFormatInvalid: 0x99,
  sharedSubscriptionsNotSupported: 0x9e,
} as const

export type ReasonCode = (typeof Reason)[keyof typeof Reason]

/** MQTT 3.1.1 CONNACK return code (3.2.2.3) nearest to a 5.0 reason. */
export function returnCode(reason: ReasonCode): number {
  switch (reason) {
    case Reason.success:
      return 0
    case Reason.unsupportedVersion:
      return 1
    case Reason.clientIdInvalid:
      return 2
    case Reason.badCredentials:
      return 4
    case Reason.notAuthorized:
    case Reason.topicNameInvalid:
      return 5
    default:
      return 3
  }
}

/** Why a connection ended: what metrics and logs say, and the DISCONNECT reason that a 5.0 client gets. */
export const closings = {
  'client-left': Reason.success,
  'client-left-with-will': Reason.success,
  'socket-closed': Reason.unspecified,
  malformed: Reason.malformedPacket,
  'protocol-error': Reason.protocolError,
  'packet-too-large': Reason.packetTooLarge,
  'receive-maximum': Reason.receiveMaximumExceeded,
  'topic-alias': Reason.topicAliasInvalid,
  'keep-alive': Reason.keepAliveTimeout,
  'connect-timeout': Reason.protocolError,
  'packet-timeout': Reason.protocolError,
  'slow-reader': Reason.quotaExceeded,
  'buffers-full': Reason.quotaExceeded,
  'taken-over': Reason.sessionTakenOver,
  'too-many-of-device': Reason.quotaExceeded,
  overloaded: Reason.serverBusy,
  'accept-failed': Reason.unspecified,
  revoked: Reason.notAuthorized,
  administrative: Reason.administrativeAction,
  'moved-elsewhere': Reason.sessionTakenOver,
  'server-closing': Reason.serverShuttingDown,
  refused: Reason.unspecified,
} as const satisfies Record<string, ReasonCode>

export type Closing = keyof typeof closings
