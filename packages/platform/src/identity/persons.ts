/**
 * Accounts of patients and caregivers. Nobody reads from the database who they are: the login (e-mail or telephone) is an HMAC under
 * a key of the installation (whoever signs in names no organisation), what they are called and reached by is sealed: of a patient
 * under the key of their chart, so that erasing them takes it along; of a caregiver under a key of its own.
 */
import { randomBytes } from 'node:crypto'
import { Failure, type PersonKind, type Relationship } from '@careloop/contract'
import type { DataKey, Engine, EngineTx, TenantTx } from '../engine/index.ts'
import { endSessions } from './access-changed.ts'
import { type ActedBy, recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import { assertPassword, hashPassword } from './password.ts'
import { loginKeyOf, normaliseLogin } from './person-login.ts'
import { sha256 } from './service-tokens.ts'
import type { Door } from './sign-in.ts'

/** A letter of paper takes days; two weeks are enough for a visit. */
export const activationMs = 14 * 24 * 3_600_000
/** Wrong dates of birth after which the code is over. */
const tries = 5

export interface InvitedPerson {
  readonly id: string
  /** `XXXXX-XXXXX-XXXXX`: 75 random bits, written without letters that look alike. Shown once. */
  readonly code: string
  readonly expiresAt: number
}

export interface PersonAccount {
  readonly id: string
  readonly kind: PersonKind
  readonly relationship: Relationship | null
  readonly name: string | null
  readonly state: 'invited' | 'expired' | 'active' | 'ended'
  readonly createdAt: number
  readonly expiresAt: number
  readonly activatedAt: number | null
  readonly user: string | null
}

export interface InvitingPerson {
  readonly subject: string
  readonly kind: PersonKind
  readonly relationship: Relationship | null
  /** Of the patient, `YYYY-MM-DD`: asked with the code. */
  readonly birthDate: string
  readonly by: ActedBy
}

export interface Activating {
  readonly code: string
  readonly birthDate: string
  readonly login: string
  readonly name?: string | undefined
  readonly password: string
}

export interface ActivatedPerson {
  readonly account: string
  readonly user: string
  readonly kind: PersonKind
  readonly subject: string
}

export interface Persons {
  /** In the caller's transaction, which has seen that they may. */
  invite(tx: EngineTx, tenant: string, wanted: InvitingPerson): Promise<InvitedPerson>
  /**
   * @param within what later rooms do in the same transaction: the patient's own sight
   * @throws Failure `activation-refused`, `login-taken`, `password-weak`, `sign-in-throttled`
   */
  activate(
    shown: Activating,
    peer: { ip: string; requestId: string },
    within: (tx: TenantTx, made: ActivatedPerson) => Promise<void>,
  ): Promise<void>
  /** Of one chart, newest first. */
  of(tenant: string, subject: string): Promise<PersonAccount[]>
  /** Ends an account and its sessions, or takes an invitation back. @throws Failure `person-account-not-found` */
  end(tx: EngineTx, tenant: string, wanted: { subject: string; id: string; by: ActedBy }): Promise<void>
  /** What the account of whoever asks is for; null for staff. */
  own(tenant: string, user: string): Promise<{ kind: PersonKind; name: string | null; subject: string | null } | null>
}

export function makePersons(door: Door): Persons {
  const { engine } = door
  return {
    invite: (tx, tenant, wanted) => invite(door, tx, tenant, wanted),
    activate: (shown, peer, within) => activate(door, shown, peer, within),
    async of(tenant, subject) {
      const { rows } = await engine.db.pool.query<PersonRow>(
        'select * from auth.person_account where tenant_id = $1 and subject_id = $2 order by created_at desc, id desc',
        [tenant, subject],
      )
      return Promise.all(rows.map((row) => viewOf(engine, row)))
    },
    end: (tx, tenant, wanted) => end(engine, tx, tenant, wanted),
    async own(tenant, user) {
      const { rows } = await engine.db.pool.query<PersonRow>(
        'select * from auth.person_account where tenant_id = $1 and user_id = $2',
        [tenant, user],
      )
      if (rows[0] === undefined) return null
      const { kind, name } = await viewOf(engine, rows[0])
      return { kind, name, subject: kind === 'patient' ? rows[0].subject_id : null }
    },
  }
}

async function invite(
  { engine, secrets }: Door,
  tx: EngineTx,
  tenant: string,
  { subject, kind, relationship, birthDate, by }: InvitingPerson,
): Promise<InvitedPerson> {
  const [id, code, now] = [engine.ids.uuid(), newCode(), engine.clock.now()]
  const expiresAt = now + activationMs
  const key = await keyOf(engine, { id, kind, subject_id: subject })
  await tx.client.query(
    `insert into auth.person_account (id, tenant_id, subject_id, kind, relationship, code_sha256, birth_hmac, invited_by,
       created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      ...[id, tenant, subject, kind, relationship === null ? null : seal(key, id, 'relationship', relationship)],
      ...[sha256(plainCode(code)), secrets.lookup('person-birth', `${id} ${birthDate}`), by.actor],
      ...[new Date(now), new Date(expiresAt)],
    ],
  )
  await recordAct(tx, { tenant, by, action: 'create', resource: 'person-account', id, subject })
  return { id, code, expiresAt }
}

const refused = () =>
  fail('activation-refused', 'Code and date of birth do not fit, or the code is over. Ask your clinic for another.')

async function activate(
  door: Door,
  shown: Activating,
  peer: { readonly ip: string; readonly requestId: string },
  within: (tx: TenantTx, made: ActivatedPerson) => Promise<void>,
): Promise<void> {
  const { engine, throttle } = door
  const attempt = { door: 'activation', ip: peer.ip, account: null, user: null } as const
  await throttle.take(attempt)
  const row = await invitedBy(door, shown)
  if (row === null) throw refused()
  await throttle.settle(attempt)
  const login = normaliseLogin(shown.login)
  if (login === null)
    throw fail('sign-in-invalid', 'An e-mail address, or a telephone number with its country code, is expected.', {
      pointer: '/body/login',
    })
  if (row.kind === 'caregiver' && shown.name === undefined)
    throw fail('sign-in-invalid', 'Give your name: the patient and their clinicians see it.', { pointer: '/body/name' })
  assertPassword(shown.password, [shown.login, shown.birthDate, shown.name ?? ''])
  const hash = await hashPassword(shown.password)
  await engine.db.asEngine((tx) =>
    makeAccount(door, tx, row, { ...shown, login, hash, requestId: peer.requestId }, within),
  )
}

/** The invitation of this code, when the date of birth fits. Each wrong one counts; after five the code is over. */
async function invitedBy({ engine, secrets }: Door, shown: Activating): Promise<PersonRow | null> {
  const now = new Date(engine.clock.now())
  const code = sha256(plainCode(shown.code))
  // Counted before it is looked at, under the row's lock: dates that come at once cannot slip through.
  const { rows } = await engine.db.pool.query<PersonRow>(
    `update auth.person_account set wrong_answers = wrong_answers + 1
      where code_sha256 = $1 and expires_at > $2 and ended_at is null and wrong_answers < $3 returning *`,
    [code, now, tries],
  )
  const row = rows[0]
  if (row === undefined) return null
  if (!row.birth_hmac.equals(secrets.lookup('person-birth', `${row.id} ${shown.birthDate}`))) return null
  await engine.db.pool.query('update auth.person_account set wrong_answers = wrong_answers - 1 where id = $1', [row.id])
  return row
}

async function makeAccount(
  { engine, secrets }: Door,
  tx: EngineTx,
  row: PersonRow,
  shown: Activating & { readonly hash: string; readonly requestId: string },
  within: (tx: TenantTx, made: ActivatedPerson) => Promise<void>,
): Promise<void> {
  const user = engine.ids.uuid()
  const key = await keyOf(engine, row)
  const { client } = tx
  const isStaffs = await client.query('select from auth.user where email = $1', [shown.login])
  await client.query(`insert into auth.user (id, name, email) values ($1, 'Account', $2)`, [
    user,
    `${user}@person.invalid`,
  ])
  const taken = await client.query(
    `update auth.person_account set code_sha256 = null, user_id = $2, login_hmac = $3, login = $4, name = $5, activated_at = $6
      where id = $1 and code_sha256 is not null and ended_at is null
        and not exists (select from auth.person_account where login_hmac = $3) returning id`,
    [
      ...[row.id, user, loginKeyOf(secrets, shown.login), seal(key, row.id, 'login', shown.login)],
      row.kind === 'caregiver' && shown.name !== undefined ? seal(key, row.id, 'name', shown.name) : null,
      new Date(engine.clock.now()),
    ],
  )
  if (taken.rowCount !== 1 || isStaffs.rowCount !== 0)
    throw fail('login-taken', 'This cannot be used to sign in here. Use another e-mail address or telephone number.', {
      pointer: '/body/login',
    })
  await client.query(
    `insert into auth.account (id, account_id, provider_id, user_id, password) values ($1, $2::uuid, 'credential', $2, $3)`,
    [engine.ids.uuid(), user, shown.hash],
  )
  await client.query(
    `insert into auth.member (user_id, tenant_id, roles, display_name) values ($1, $2, $3, 'Account')`,
    [...[user, row.tenant_id, [row.kind]]],
  )
  const by = { actor: `staff:${user}`, requestId: shown.requestId }
  const { tenant_id: tenant, subject_id: subject, kind } = row
  await recordAct(tx, { tenant, by, action: 'update', resource: 'person-account', id: row.id, subject })
  await tx.asTenant(tenant, (tenantTx) => within(tenantTx, { account: row.id, user, kind, subject }))
}

async function end(
  engine: Engine,
  tx: EngineTx,
  tenant: string,
  { subject, id, by }: { readonly subject: string; readonly id: string; readonly by: ActedBy },
): Promise<void> {
  const now = new Date(engine.clock.now())
  const { rows } = await tx.client.query<{ user_id: string | null }>(
    `update auth.person_account set ended_at = $4, code_sha256 = null, login_hmac = null, login = null
      where tenant_id = $1 and subject_id = $2 and id = $3 and ended_at is null returning user_id`,
    [tenant, subject, id, now],
  )
  if (rows[0] === undefined)
    throw fail('person-account-not-found', 'This patient has no such account. Read the list again.')
  const user = rows[0].user_id
  if (user !== null) {
    await tx.client.query('update auth.member set ended_at = $2 where user_id = $1', [user, now])
    await endSessions(tx, user)
    await tx.client.query('delete from auth.challenge where user_id = $1', [user])
  }
  await recordAct(tx, { tenant, by, action: 'revoke', resource: 'person-account', id, subject })
}

// ---------------------------------------------------------------- what is sealed

type Owned = Pick<PersonRow, 'id' | 'kind' | 'subject_id'>

const keyOf = (engine: Engine, { id, kind, subject_id }: Owned): Promise<DataKey> =>
  kind === 'patient' ? engine.keys.keyFor('subject', subject_id) : engine.keys.keyFor('auth', `person ${id}`)

const aadOf = (id: string, field: string): string => `auth.person_account ${id} ${field}`
const seal = (key: DataKey, id: string, field: string, text: string): Buffer =>
  key.seal(Buffer.from(text), aadOf(id, field))

/** What of an account is sealed. */
export type SealedPerson = Pick<PersonRow, 'id' | 'kind' | 'subject_id' | 'name' | 'relationship'>

/** Null where there is none, and where its key was destroyed. */
export async function openPersonWord(
  engine: Engine,
  row: SealedPerson,
  field: 'name' | 'relationship',
): Promise<string | null> {
  const sealed = row[field]
  if (sealed === null) return null
  try {
    return (await keyOf(engine, row)).open(sealed, aadOf(row.id, field)).toString()
  } catch (error) {
    if (error instanceof Failure && error.code === 'key-destroyed') return null
    throw error
  }
}

async function viewOf(engine: Engine, row: PersonRow): Promise<PersonAccount> {
  // An invitation says nothing sealed of a patient: their key may be gone.
  const key = row.name === null && row.relationship === null ? null : await keyOf(engine, row)
  const opened = (field: 'name' | 'relationship'): string | null =>
    row[field] === null || key === null ? null : key.open(row[field], aadOf(row.id, field)).toString()
  return {
    ...{
      id: row.id,
      kind: row.kind,
      relationship: opened('relationship') as Relationship | null,
      name: opened('name'),
    },
    ...{ createdAt: row.created_at.getTime(), expiresAt: row.expires_at.getTime(), user: row.user_id },
    ...{ activatedAt: row.activated_at?.getTime() ?? null, state: stateOf(row, engine.clock.now()) },
  }
}

function stateOf(row: PersonRow, now: number): PersonAccount['state'] {
  if (row.ended_at !== null) return 'ended'
  if (row.user_id !== null) return 'active'
  return row.expires_at.getTime() <= now || row.wrong_answers >= tries ? 'expired' : 'invited'
}

/** Crockford's base 32: no I, L, O, U. */
const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

function newCode(): string {
  // 256 is a multiple of 32: no letter comes more often than another.
  const code = [...randomBytes(15)].map((byte) => letters[byte % 32]).join('')
  return code.match(/.{5}/g)!.join('-')
}

/** As it was meant: without case, blanks and hyphens, and what looks alike is the same. */
const plainCode = (typed: string): string =>
  typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')

interface PersonRow {
  readonly id: string
  readonly tenant_id: string
  readonly subject_id: string
  readonly kind: PersonKind
  readonly relationship: Buffer | null
  readonly birth_hmac: Buffer
  readonly wrong_answers: number
  readonly created_at: Date
  readonly expires_at: Date
  readonly user_id: string | null
  readonly name: Buffer | null
  readonly activated_at: Date | null
  readonly ended_at: Date | null
}
