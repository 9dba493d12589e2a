/**
 * Who the person is, for an app that asks (`openid fhirUser`): a JWT by RS256, which every OpenID Connect client knows. A key is made at
 * first use and every 90 days; public halves of those before are published for a day more.
 */
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import type { DataKey, Engine } from '../../engine/index.ts'

export const idTokenAlgorithm = 'RS256'
const keyMs = 90 * 24 * 3_600_000
const publishedMs = keyMs + 24 * 3_600_000
/** s */
const lifeSeconds = 600

export interface IdClaims {
  readonly issuer: string
  readonly client: string
  /** User id. */
  readonly user: string
  readonly fhirUser?: string | undefined
  readonly nonce?: string | undefined
  /** ms */
  readonly authTime: number
}

export interface IdTokens {
  sign(claims: IdClaims): Promise<string>
  /** What is published. */
  keys(): Promise<{ keys: JWK[] }>
}

interface KeyRow {
  readonly id: string
  readonly public_jwk: JWK
  readonly private_jwk: Buffer
  readonly created_at: Date
}

export function makeIdTokens(engine: Engine, key: DataKey): IdTokens {
  const opened = new Map<string, Awaited<ReturnType<typeof importJWK>>>()
  const privateOf = async ({ id, private_jwk }: KeyRow) => {
    const known = opened.get(id) ?? (await importJWK(JSON.parse(key.open(private_jwk, aadOf(id)).toString()), 'RS256'))
    opened.set(id, known)
    return known
  }
  return {
    async sign({ issuer, client, user, fhirUser, nonce, authTime }) {
      const row = await currentKey(engine, key)
      const now = Math.floor(engine.clock.now() / 1000)
      return new SignJWT({
        ...{ auth_time: Math.floor(authTime / 1000) },
        ...(fhirUser === undefined ? {} : { fhirUser }),
        ...(nonce === undefined ? {} : { nonce }),
      })
        .setProtectedHeader({ alg: idTokenAlgorithm, typ: 'JWT', kid: row.id })
        .setIssuer(issuer)
        .setSubject(user)
        .setAudience(client)
        .setIssuedAt(now)
        .setExpirationTime(now + lifeSeconds)
        .sign(await privateOf(row))
    },
    async keys() {
      await currentKey(engine, key)
      const { rows } = await engine.db.pool.query<Pick<KeyRow, 'public_jwk'>>(
        'select public_jwk from auth.app_signing_key where created_at > $1 order by created_at desc',
        [new Date(engine.clock.now() - publishedMs)],
      )
      return { keys: rows.map(({ public_jwk }) => public_jwk) }
    },
  }
}

async function currentKey(engine: Engine, key: DataKey): Promise<KeyRow> {
  const since = new Date(engine.clock.now() - keyMs)
  const newest = 'select * from auth.app_signing_key where created_at > $1 order by created_at desc, id desc limit 1'
  const known = (await engine.db.pool.query<KeyRow>(newest, [since])).rows[0]
  if (known !== undefined) return known
  const { publicKey, privateKey } = await generateKeyPair(idTokenAlgorithm, { extractable: true, modulusLength: 2048 })
  const id = engine.ids.uuid()
  const named = { ...(await exportJWK(publicKey)), kid: id, alg: idTokenAlgorithm, use: 'sig' }
  const sealed = key.seal(Buffer.from(JSON.stringify(await exportJWK(privateKey))), aadOf(id))
  return engine.db.asEngine(async (tx) => {
    // Two processes that find none at once make one.
    await tx.client.query('lock table auth.app_signing_key in share row exclusive mode')
    const meanwhile = (await tx.client.query<KeyRow>(newest, [since])).rows[0]
    if (meanwhile !== undefined) return meanwhile
    const { rows } = await tx.client.query<KeyRow>(
      'insert into auth.app_signing_key (id, public_jwk, private_jwk, created_at) values ($1, $2, $3, $4) returning *',
      [id, JSON.stringify(named), sealed, new Date(engine.clock.now())],
    )
    return rows[0]!
  })
}

const aadOf = (id: string): string => `auth.app_signing_key ${id} private_jwk`
