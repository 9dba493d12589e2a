/** Members of staff at a page, over a real socket: what they ask, and every body and header that they are refused with. */
import { randomBytes } from 'node:crypto'
import type { Role } from '@careloop/contract'
import type { Rooms } from '../../../packages/platform/src/app/rooms.ts'
import { currentCode, toBase32 } from '../../../packages/platform/src/identity/totp.ts'

export interface Asked {
  readonly status: number
  readonly text: string
  /** Of JSON; fields are looked at by who asked. */
  readonly body: Record<string, never>
}

export interface StaffSession {
  readonly id: string
  /** @throws when the answer is not one of `good` (default: any 2xx) */
  ask(method: string, path: string, body?: unknown, good?: readonly number[]): Promise<Asked>
}

export interface Signing {
  readonly rooms: Rooms
  readonly base: string
  readonly tenant: string
  /** Hears bodies of refusals, and headers of every answer. */
  hear(where: string, text: string): void
}

/** Makes the person, with an authenticator app, and signs in. */
export async function signIn(signing: Signing, name: string, roles: readonly Role[]): Promise<StaffSession> {
  const { rooms, base, tenant, hear } = signing
  const email = `${name}@ward.example`
  const password = `a calm phrase of ${name} and his friends`
  const { identity } = rooms
  const { id } = await identity.createUser({ tenant, email, displayName: name, roles: [...roles], password })
  const secret = toBase32(randomBytes(20))
  await identity.presetSecondFactor(tenant, id, secret)
  const jar = new Map<string, string>()
  const send = async (method: string, path: string, body?: unknown): Promise<Asked> => {
    const cookie = [...jar].map(([key, value]) => `${key}=${value}`).join('; ')
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        'sec-fetch-site': 'same-origin',
        ...(cookie === '' ? {} : { cookie }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    for (const each of response.headers.getSetCookie()) {
      const [, key, value] = /^([^=]+)=([^;]*)/.exec(each) ?? []
      if (key !== undefined) jar.set(key, value!)
    }
    // Where FHIR says that a resource stands, it repeats the id that this very client has put into its URL.
    const unheard = ['set-cookie', 'location']
    hear('headers of answers', [...response.headers].filter(([key]) => !unheard.includes(key)).join('\n'))
    if (response.status >= 400) hear(`body of ${response.status}`, text)
    const isJson = response.headers.get('content-type')?.includes('json') === true
    return { status: response.status, text, body: isJson && text !== '' ? JSON.parse(text) : {} }
  }
  const must = async (method: string, path: string, body?: unknown, good?: readonly number[]) => {
    const asked = await send(method, path, body)
    const isGood = good === undefined ? asked.status < 300 : good.includes(asked.status)
    if (!isGood) throw new Error(`${name}: ${method} ${path} was answered ${asked.status} ${asked.text}`)
    return asked
  }
  await must('POST', '/api/auth/sign-in/email', { email, password })
  await must('POST', '/api/auth/sign-in/second-factor', { code: currentCode(secret, Date.now()) })
  return { id, ask: must }
}
