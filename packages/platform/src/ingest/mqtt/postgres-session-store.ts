/**
 * Sessions in PostgreSQL (engine.device_session). A reconnect storm asks ten thousand times within seconds, so what waits while one
 * transaction is under way goes together in the next.
 */
import type { Db, EngineTx } from '../../engine/index.ts'
import { mqttFailure } from './errors.ts'
import { keyText, type SessionState } from './session.ts'
import type { SessionKey, SessionStore } from './session-store.ts'

interface Row {
  readonly state: SessionState
  readonly expiresAt: number
}

type Ask =
  | { readonly what: 'load'; readonly key: SessionKey; readonly done: (row: Row | null) => void }
  | { readonly what: 'put'; readonly key: SessionKey; readonly row: Row | null; readonly done: () => void }

interface Waiting {
  readonly ask: Ask
  readonly fail: (error: unknown) => void
}

/** Asks that one transaction takes. */
const MOST_TOGETHER = 1_000

export function makePostgresSessionStore(db: Pick<Db, 'asEngine'>): SessionStore {
  const waiting: Waiting[] = []
  let running = false

  const put = (key: SessionKey, row: Row | null) =>
    new Promise<void>((done, fail) => enqueue({ ask: { what: 'put', key, row, done }, fail }))

  function enqueue(item: Waiting): void {
    waiting.push(item)
    if (!running) void run()
  }

  async function run(): Promise<void> {
    running = true
    // Those who ask in the same turn go together, the first too.
    await Promise.resolve()
    while (waiting.length > 0) await settle(db, waiting.splice(0, MOST_TOGETHER))
    running = false
  }

  return {
    async load(key, now) {
      const row = await new Promise<Row | null>((done, fail) => enqueue({ ask: { what: 'load', key, done }, fail }))
      return row && row.expiresAt > now ? row.state : null
    },
    save: (key, state, expiresAt) => put(key, { state, expiresAt }),
    forget: (key) => put(key, null),
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

async function settle(db: Pick<Db, 'asEngine'>, batch: readonly Waiting[]): Promise<void> {
  const answers: (() => void)[] = []
  try {
    await db.asEngine(async (tx) => {
      const known = await readRows(tx, batch)
      const changed = new Map<string, SessionKey>()
      for (const { ask } of batch) {
        const text = keyText(ask.key)
        if (ask.what === 'load') {
          const row = known.get(text) ?? null
          answers.push(() => ask.done(row))
        } else {
          known.set(text, ask.row)
          changed.set(text, ask.key)
          answers.push(ask.done)
        }
      }
      await writeRows(tx, changed, known)
    })
  } catch (cause) {
    const error = unavailable(cause)
    for (const { fail } of batch) fail(error)
    return
  }
  for (const answer of answers) answer()
}

async function readRows(tx: EngineTx, batch: readonly Waiting[]): Promise<Map<string, Row | null>> {
  const rows = new Map<string, Row | null>()
  const keys = batch.filter(({ ask }) => ask.what === 'load').map(({ ask }) => ask.key)
  if (keys.length === 0) return rows
  const found = await tx.client.query<{
    tenant: string
    device: string
    client: string
    state: SessionState
    at: string
  }>(
    `select s.tenant_id as tenant, s.device_id as device, encode(s.client, 'hex') as client, s.state, s.expires_at as at
       from unnest($1::uuid[], $2::uuid[], $3::text[]) as k(tenant, device, client)
       join engine.device_session s on s.tenant_id = k.tenant and s.device_id = k.device and s.client = decode(k.client, 'hex')`,
    columns(keys),
  )
  for (const row of found.rows) rows.set(keyText(row), { state: row.state, expiresAt: Number(row.at) })
  return rows
}

async function writeRows(
  tx: EngineTx,
  changed: ReadonlyMap<string, SessionKey>,
  rows: ReadonlyMap<string, Row | null>,
): Promise<void> {
  // In the order of their keys, so that two processes never wait for each other's rows.
  const sorted = [...changed].sort(([a], [b]) => (a < b ? -1 : 1))
  const gone = sorted.filter(([text]) => !rows.get(text)).map(([, key]) => key)
  const kept = sorted.filter(([text]) => rows.get(text))
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
        ...columns(kept.map(([, key]) => key)),
        kept.map(([text]) => JSON.stringify(rows.get(text)!.state)),
        kept.map(([text]) => rows.get(text)!.expiresAt),
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
