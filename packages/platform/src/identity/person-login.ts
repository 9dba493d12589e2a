/** What patients and caregivers sign in with: an e-mail address or a telephone number, looked up by its HMAC. */
import type { Engine } from '../engine/index.ts'
import type { Secrets } from './secrets.ts'

/** The same for what is written otherwise; null when it is neither an address nor a telephone number. */
export function normaliseLogin(typed: string): string | null {
  const text = typed.normalize('NFKC').trim().toLowerCase()
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text)) return text
  if (!/^(\+|00)[\d\s()/.-]+$/.test(text)) return null
  const digits = text.replace(/\D/g, '').replace(/^00/, '')
  return digits.length >= 7 && digits.length <= 15 ? `+${digits}` : null
}

/** @param login normalised */
export const loginKeyOf = (secrets: Secrets, login: string): Buffer => secrets.lookup('person-login', login)

/** @returns id and password hash; null when nobody signs in with it */
export async function personOfLogin(
  engine: Engine,
  secrets: Secrets,
  typed: string,
): Promise<{ id: string; password: string } | null> {
  const login = normaliseLogin(typed)
  if (login === null) return null
  const { rows } = await engine.db.pool.query<{ id: string; password: string }>(
    `select p.user_id as id, a.password from auth.person_account p
       join auth.account a on a.user_id = p.user_id and a.provider_id = 'credential' and a.password is not null
      where p.login_hmac = $1 and p.ended_at is null`,
    [loginKeyOf(secrets, login)],
  )
  return rows[0] ?? null
}
