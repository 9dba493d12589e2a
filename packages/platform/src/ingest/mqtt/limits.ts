/** What the door bears before it refuses. Every bound here is what keeps "nothing read is unbounded" true. */
export interface Limits {
  /** Whole packet with its fixed header, bytes; checked before a byte of the body is kept. */
  readonly maxPacketBytes: number
  /** The same before CONNECT has been accepted: strangers may send little. */
  readonly maxConnectBytes: number
  /** Unacknowledged QoS 1 and 2 publishes of one client (MQTT 5 Receive Maximum; for 3.1.1 the socket is not read beyond it). */
  readonly receiveMaximum: number
  /** Open connections of all listeners together; beyond it CONNACK says busy, beyond 1.1 times the socket is dropped. */
  readonly maxConnections: number
  /** Connections of one device under different client ids. The newest wins: a device that takes a random id at each start must get in. */
  readonly maxPerDevice: number
  /** Wills of one device that wait for their delay; beyond it the one kept longest is said at once. */
  readonly maxWillsPerDevice: number
  /** Credential checks under way at once; the others wait in line. */
  readonly maxAuthenticating: number
  /** From TCP accept to a whole CONNECT packet, and likewise for the TLS handshake. */
  readonly connectTimeoutMs: number
  /** From the first byte of a packet to its last, whatever the keep-alive. */
  readonly packetTimeoutMs: number
  /** The longest silence a 5.0 client may ask for; 0 (never) counts as longer. */
  readonly maxKeepAliveSeconds: number
  readonly maxSessionExpirySeconds: number
  /** Partly read packets of all connections together, bytes. */
  readonly maxBufferedBytes: number
  readonly topicAliasMaximum: number
  /** How long a 3.1.1 client whose publish was refused is kept unread before it is closed, so that it does not come back at once. */
  readonly overloadHoldMs: number
  /** Sockets are not read from this fill of the log's queue (0..1) until it has fallen to `resumePressure`. */
  readonly pausePressure: number
  readonly resumePressure: number
  /** Bytes that one client may leave unread on our side before it is closed. */
  readonly maxUnsentBytes: number
}

export const defaultLimits: Limits = {
  maxPacketBytes: 256 * 1024,
  maxConnectBytes: 64 * 1024,
  receiveMaximum: 128,
  maxConnections: 20_000,
  maxPerDevice: 4,
  maxWillsPerDevice: 4,
  maxAuthenticating: 64,
  connectTimeoutMs: 15_000,
  packetTimeoutMs: 60_000,
  maxKeepAliveSeconds: 3_600,
  maxSessionExpirySeconds: 7 * 86_400,
  maxBufferedBytes: 256 * 1024 * 1024,
  topicAliasMaximum: 16,
  overloadHoldMs: 3_000,
  pausePressure: 0.8,
  resumePressure: 0.5,
  maxUnsentBytes: 1024 * 1024,
}
