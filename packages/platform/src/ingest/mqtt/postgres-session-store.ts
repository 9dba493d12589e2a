/**
 * Sessions in PostgreSQL (engine.device_session). A reconnect storm asks ten thousand times within seconds, so what waits while one
 * transaction is under way goes together in the next.
 */
import { Counter, type Registry } from 'prom-client'
import type { Db, EngineTx } from '../../engine/index.ts'
import { mqttFailure } from './errors.ts'
import { keyText, type SessionState } from './session.ts'
import {
  changed,
  found,
  MOST_SESSIONS_PER_DEVICE,
  type SessionChange,
  type SessionKey,
  type SessionStore,
  type StoredSession,
} from './session-store.ts'

interface Ask {
  readonly key: SessionKey
  readonly change: SessionChange
  /** Gets the row as it was before the change, or `moved` when the change did not apply. */
  readonly done: (before: StoredSession | null | 'moved') => void
  readonly fail: (error: unknown) => void
}

/** Asks that one transaction takes. */
const MOST_TOGETHER = 1_000

/** @param metrics where sessions are counted that were forgotten because their device had too many */
export function makePostgresSessionStore(db: Pick<Db, 'asEngine'>, metrics?: Registry): SessionStore {
  const forgotten = new Counter({
    name: 'careloop_mqtt_sessions_forgotten_total',
    help: 'Stored MQTT sessions forgotten because their device had left too many',
    registers: metrics ? [metrics] : [],
  })
  const waiting: Ask[] = []
  let running = false

  async function run(): Promise<void> {
    running = true
    // Those who ask in the same turn go together, the first too.
    await Promise.resolve()
    while (waiting.length > 0) forgotten.inc(await settle(db, waiting.splice(0, MOST_TOGETHER)))
    running = false
  }

  const ask = (key: SessionKey, change: SessionChange) =>
    new Promise<StoredSession | null | 'moved'>((done, fail) => {
      waiting.push({ key, change, done, fail })
      if (!running) void run()
    })

  return {
    async take(key, owner, now, expiresAt) {
      const before = await ask(key, { what: 'take', owner, now, expiresAt })
      return before === 'moved' ? null : found(before, now)
    },
    async save(key, owner, state, expiresAt) {
      if ((await ask(key, { what: 'save', owner, state, expiresAt })) === 'moved')
        throw mqttFailure('mqtt-session-moved', 'The device went on with its session on another connection.')
    },
    async forget(key, owner) {
      await ask(key, owner === undefined ? { what: 'forget' } : { what: 'forget', owner })
    },
    async expire(now) {
      try {
        return await db.asEngine(async ({ client }) => {
          const { rowCount } = await client.query('delete from engine.device_session where expires_at <= $1', [now])
          return rowCount ?? 0
        })
      } catch (cause) {
        throw unavailable(cause)
      }
    },
  }
}

/** @returns how many sessions were forgotten because their device had too many */
async function settle(db: Pick<Db, 'asEngine'>, batch: readonly Ask[]): Promise<number> {
  let answers: (() => void)[] = []
  let forgotten = 0
  try {
    await db.asEngine(async (tx) => {
      answers = []
      const rows = await readRows(tx, batch)
      const touched = new Map<string, SessionKey>()
      for (const { key, change, done } of batch) {
        const before = rows.get(keyText(key)) ?? null
        const after = changed(before, change)
        answers.push(() => done(after === 'moved' ? 'moved' : before))
        if (after === 'moved') continue
        rows.set(keyText(key), after)
        touched.set(keyText(key), key)
      }
      await writeRows(tx, touched, rows)
      forgotten = await forgetTooMany(tx, batch)
    })
  } catch (cause) {
    const error = unavailable(cause)
    for (const { fail } of batch) fail(error)
    return 0
  }
  for (const answer of answers) answer()
  return forgotten
}

/** Of the devices that took a session, those left longest beyond the bound. */
async function forgetTooMany(tx: EngineTx, batch: readonly Ask[]): Promise<number> {
  const took = batch.filter(({ change }) => change.what === 'take')
  const devices = new Map(took.map(({ key: { tenant, device } }) => [device, tenant]))
  if (devices.size === 0) return 0
  const { rowCount } = await tx.client.query(
    `delete from engine.device_session s
      using (select tenant_id, device_id, client,
                    row_number() over (partition by tenant_id, device_id
                                       order by (state->>'takenAt')::bigint desc nulls last, client) as place
               from engine.device_session where (tenant_id, device_id) in (select * from unnest($1::uuid[], $2::uuid[]))) old
      where old.place > $3 and s.tenant_id = old.tenant_id and s.device_id = old.device_id and s.client = old.client`,
    [[...devices.values()], [...devices.keys()], MOST_SESSIONS_PER_DEVICE],
  )
  return rowCount ?? 0
}

/** Rows of all keys of a batch, locked in one order, so that two processes never wait for each other in a circle. */
async function readRows(tx: EngineTx, batch: readonly Ask[]): Promise<Map<string, StoredSession | null>> {
  const rows = new Map<string, StoredSession | null>()
  const keys = new Map(batch.map(({ key }) => [keyText(key), key]))
  const { rows: read } = await tx.client.query<SessionKey & { kept: Kept; at: string }>(
    `select s.tenant_id as tenant, s.device_id as device, encode(s.client, 'hex') as client, s.state as kept, s.expires_at as at
       from unnest($1::uuid[], $2::uuid[], $3::text[]) as k(tenant, device, client)
       join engine.device_session s on s.tenant_id = k.tenant and s.device_id = k.device and s.client = decode(k.client, 'hex')
      order by s.tenant_id, s.device_id, s.client
        for update of s`,
    columns([...keys.values()]),
  )
  for (const { kept, at, ...key } of read) rows.set(keyText(key), { takenAt: 0, ...kept, expiresAt: Number(at) })
  return rows
}

/** What stands in the column `state`. */
interface Kept {
  readonly owner: string
  readonly state: SessionState
  /** Absent in rows of before there was a bound. */
  readonly takenAt?: number
}

async function writeRows(
  tx: EngineTx,
  touched: ReadonlyMap<string, SessionKey>,
  rows: ReadonlyMap<string, StoredSession | null>,
): Promise<void> {
  // Sorted like the locks above: rows that are new are waited for in the same order.
  const sorted = [...touched].sort(([a], [b]) => (a < b ? -1 : 1))
  const gone = sorted.filter(([text]) => !rows.get(text)).map(([, key]) => key)
  const kept = sorted.flatMap(([text, key]) => {
    const row = rows.get(text)
    return row ? [{ key, row }] : []
  })
  if (gone.length > 0)
    await tx.client.query(
      `delete from engine.device_session s using unnest($1::uuid[], $2::uuid[], $3::text[]) as k(tenant, device, client)
        where s.tenant_id = k.tenant and s.device_id = k.device and s.client = decode(k.client, 'hex')`,
      columns(gone),
    )
  if (kept.length > 0)
    await tx.client.query(
      `insert into engine.device_session (tenant_id, device_id, client, state, expires_at)
       select k.tenant, k.device, decode(k.client, 'hex'), k.state, k.at
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::bigint[]) as k(tenant, device, client, state, at)
       on conflict (tenant_id, device_id, client) do update set state = excluded.state, expires_at = excluded.expires_at`,
      [
        ...columns(kept.map(({ key }) => key)),
        kept.map(({ row: { owner, state, takenAt } }) => JSON.stringify({ owner, state, takenAt } satisfies Kept)),
        kept.map(({ row }) => row.expiresAt),
      ],
    )
}

function columns(keys: readonly SessionKey[]): [string[], string[], string[]] {
  return [keys.map((key) => key.tenant), keys.map((key) => key.device), keys.map((key) => key.client)]
}

function unavailable(cause: unknown) {
  return mqttFailure(
    'mqtt-sessions-unavailable',
    'Device sessions cannot be read or written now. Check the database.',
    {
      retryAfterSeconds: 5,
      cause,
    },
  )
}
