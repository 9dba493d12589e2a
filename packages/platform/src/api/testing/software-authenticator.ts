/**
 * An authenticator and the browser before it, for tests: WebAuthn level 2 in software, written from the specification and not from
 * the library that reads it. Each thing that an attacker could change can be changed.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** What is told otherwise than an honest browser and authenticator would. */
export interface Lies {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  /** Somebody touched it. */
  readonly isPresent?: boolean
  /** Its PIN or fingerprint was given. */
  readonly isVerified?: boolean
  readonly counter?: number
  readonly type?: string
  readonly userHandle?: string
  /** Another private key signs. */
  readonly key?: KeyObject
}

interface CreationOptions {
  readonly challenge: string
  readonly rp: { readonly id: string }
  readonly user: { readonly id: string }
}

interface RequestOptions {
  readonly challenge: string
  readonly rpId: string
}

export class SoftwareAuthenticator {
  readonly #origin: string
  readonly #credentialId = randomBytes(32)
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  #userHandle = ''
  counter = 0

  constructor(origin: string) {
    this.#origin = origin
  }

  get id(): string {
    return this.#credentialId.toString('base64url')
  }

  /** navigator.credentials.create() */
  create(options: CreationOptions, lies: Lies = {}) {
    this.#userHandle = options.user.id
    const client = this.#clientData('webauthn.create', options.challenge, lies)
    const credential = Buffer.concat([Buffer.alloc(16), uint16(this.#credentialId.length), this.#credentialId])
    const authData = Buffer.concat([this.#head(options.rp.id, 0x40, lies), credential, this.#coseKey()])
    const attestationObject = map(
      [text('fmt'), text('none')],
      [text('attStmt'), map()],
      [text('authData'), bytes(authData)],
    )
    return {
      ...{ id: this.id, rawId: this.id, type: 'public-key', clientExtensionResults: {} },
      response: {
        clientDataJSON: client.toString('base64url'),
        attestationObject: attestationObject.toString('base64url'),
        transports: ['internal'],
      },
    }
  }

  /** navigator.credentials.get() */
  get(options: RequestOptions, lies: Lies = {}) {
    this.counter += 1
    const client = this.#clientData('webauthn.get', options.challenge, lies)
    const authData = this.#head(options.rpId, 0, lies)
    const signed = Buffer.concat([authData, createHash('sha256').update(client).digest()])
    return {
      ...{ id: this.id, rawId: this.id, type: 'public-key', clientExtensionResults: {} },
      response: {
        clientDataJSON: client.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: sign('sha256', signed, lies.key ?? this.#keys.privateKey).toString('base64url'),
        userHandle: lies.userHandle ?? this.#userHandle,
      },
    }
  }

  #clientData(type: string, challenge: string, lies: Lies): Buffer {
    const said = {
      type: lies.type ?? type,
      challenge: lies.challenge ?? challenge,
      origin: lies.origin ?? this.#origin,
    }
    return Buffer.from(JSON.stringify({ ...said, crossOrigin: false }))
  }

  /** SHA-256 of the RP ID, flags, counter. */
  #head(rpId: string, flags: number, { isPresent = true, isVerified = true, ...lies }: Lies): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(lies.counter ?? this.counter)
    const all = flags | (isPresent ? 0x01 : 0) | (isVerified ? 0x04 : 0)
    return Buffer.concat([
      createHash('sha256')
        .update(lies.rpId ?? rpId)
        .digest(),
      Buffer.of(all),
      counter,
    ])
  }

  /** COSE: kty 2 (EC2), alg -7 (ES256), crv 1 (P-256), x, y. */
  #coseKey(): Buffer {
    const { x, y } = this.#keys.publicKey.export({ format: 'jwk' })
    return map(
      ...([
        [int(1), int(2)],
        [int(3), int(-7)],
        [int(-1), int(1)],
      ] as const),
      [int(-2), bytes(Buffer.from(x!, 'base64url'))],
      [int(-3), bytes(Buffer.from(y!, 'base64url'))],
    )
  }
}

// ---------------------------------------------------------------- CBOR (RFC 8949), as much as is needed

function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.of((major << 5) | value)
  if (value < 256) return Buffer.of((major << 5) | 24, value)
  return Buffer.concat([Buffer.of((major << 5) | 25), uint16(value)])
}

const int = (value: number): Buffer => (value < 0 ? head(1, -1 - value) : head(0, value))
const bytes = (value: Buffer): Buffer => Buffer.concat([head(2, value.length), value])
const text = (value: string): Buffer => Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
const map = (...pairs: readonly (readonly [Buffer, Buffer])[]): Buffer =>
  Buffer.concat([head(5, pairs.length), ...pairs.flat()])

function uint16(value: number): Buffer {
  const two = Buffer.alloc(2)
  two.writeUInt16BE(value)
  return two
}
