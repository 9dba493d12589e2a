/**
 * PostgreSQL's binary form of one-dimensional arrays, so that thousands of rows travel as a handful of parameters
 * (`insert ... select * from unnest($1::bigint[], ...)`) without a text per value. Measured: a tenth of the client's time.
 */
const OID = { bigint: 20, int: 23, bytea: 17 } as const
const HEAD_BYTES = 20

export function bigints(values: readonly number[]): Buffer {
  const bytes = head(OID.bigint, values.length, values.length * 12)
  let at = HEAD_BYTES
  for (const value of values) {
    bytes.writeInt32BE(8, at)
    const high = Math.floor(value / 0x1_0000_0000)
    bytes.writeInt32BE(high, at + 4)
    bytes.writeUInt32BE(value - high * 0x1_0000_0000, at + 8)
    at += 12
  }
  return bytes
}

export function ints(values: readonly number[]): Buffer {
  const bytes = head(OID.int, values.length, values.length * 8)
  let at = HEAD_BYTES
  for (const value of values) {
    bytes.writeInt32BE(4, at)
    bytes.writeInt32BE(value, at + 4)
    at += 8
  }
  return bytes
}

export function byteas(values: readonly Uint8Array[]): Buffer {
  const bytes = head(
    OID.bytea,
    values.length,
    values.reduce((sum, value) => sum + 4 + value.length, 0),
  )
  let at = HEAD_BYTES
  for (const value of values) {
    bytes.writeInt32BE(value.length, at)
    bytes.set(value, at + 4)
    at += 4 + value.length
  }
  return bytes
}

function head(oid: number, length: number, bodyBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + bodyBytes)
  bytes.writeInt32BE(1, 0) // dimensions
  bytes.writeInt32BE(0, 4) // no nulls
  bytes.writeInt32BE(oid, 8)
  bytes.writeInt32BE(length, 12)
  bytes.writeInt32BE(1, 16) // first index
  return bytes
}
