/**
 * The evaluator's memory in the database: each subject's state, sealed under its key, as of a log position. Written every few
 * seconds for what changed, and whenever configuration changed, so that a replay never needs to know an older configuration.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Failure } from '@careloop/contract'
import { type CompiledRule, type Evaluator, loadState, type SavedState, saveState } from '@careloop/rules'
import type { Engine, EngineTx } from '../engine/index.ts'
import type { SavedHearing } from './hearing-feed.ts'
import type { Rulebook } from './rulebook.ts'

export interface Checkpoint {
  /** Log position as of which the states stand; null when there never was a checkpoint. */
  readonly position: number | null
  readonly logNow: number
  /** Tenant of each subject in memory. */
  readonly tenants: Map<string, string>
  /** null: kept by a version that did not know of it. */
  readonly hearing: SavedHearing | null
}

const aadOf = (tenant: string, subject: string) => `evaluator-state:${tenant}:${subject}`

interface StateRow {
  readonly subject_id: string
  readonly tenant_id: string
  readonly key_id: string
  readonly body: Buffer
}

/** Loads all states of a partition into an empty evaluator. States of erased subjects are left out. */
export async function loadCheckpoint(
  engine: Engine,
  rulebook: Rulebook,
  partition: number,
  evaluator: Evaluator,
): Promise<Checkpoint> {
  const { pool } = engine.db
  const { rows: heads } = await pool.query<{ position: string; log_now: string; hearing: SavedHearing | null }>(
    'select position, log_now, hearing from engine.evaluator_partition where partition = $1',
    [partition],
  )
  const tenants = new Map<string, string>()
  if (!heads[0]) return { position: null, logNow: 0, tenants, hearing: null }
  const { rows } = await pool.query<StateRow>(
    'select subject_id, tenant_id, key_id, body from engine.evaluator_checkpoint where partition = $1',
    [partition],
  )
  for (const row of rows) {
    const saved = await openState(engine, row)
    if (saved === null) continue
    const versions = await versionsOf(rulebook, row.tenant_id, saved)
    const compiledOf = (rule: string, version: number, override: string | null) =>
      versions.get(`${rule}/${version}/${override}`)!
    const state = loadState(saved, compiledOf, row.subject_id)
    if (state === null) throw new Error('a checkpoint has a format that this version does not know')
    evaluator.restore(row.subject_id, state.rules, state.devices)
    tenants.set(row.subject_id, row.tenant_id)
  }
  const logNow = Number(heads[0].log_now)
  return { position: Number(heads[0].position), logNow, tenants, hearing: heads[0].hearing }
}

async function openState(engine: Engine, row: StateRow): Promise<SavedState | null> {
  try {
    const key = await engine.keys.key(row.key_id)
    return JSON.parse(key.open(row.body, aadOf(row.tenant_id, row.subject_id)).toString()) as SavedState
  } catch (error) {
    if (isErased(error)) return null
    throw error
  }
}

async function versionsOf(rulebook: Rulebook, tenant: string, saved: SavedState) {
  const versions = new Map<string, CompiledRule>()
  for (const { rule, version, override = null } of saved.rules)
    versions.set(
      `${rule}/${version}/${override}`,
      (await rulebook.overridden(tenant, rule, version, override)).compiled,
    )
  return versions
}

/** Whether somebody was erased: nothing more is evaluated or kept of them. */
export const isErased = (error: unknown): boolean => error instanceof Failure && error.code === 'key-destroyed'

export interface StateWrite {
  readonly partition: number
  readonly position: number
  readonly logNow: number
  readonly rows: readonly { subject: string; tenant: string; keyId: string; body: Buffer }[]
  readonly gone: readonly string[]
  /** null: as it was kept last. */
  readonly hearing: SavedHearing | null
}

/** States of subjects as JSON, taken at one position of the log. */
export interface Snapshot {
  readonly states: readonly { readonly subject: string; readonly tenant: string; readonly json: string }[]
  readonly gone: readonly string[]
}

/** At once, so that no reading comes between the state of one subject and that of another. */
export function takeSnapshot(
  evaluator: Evaluator,
  tenants: ReadonlyMap<string, string>,
  changed: Iterable<string>,
): Snapshot {
  const states: Snapshot['states'][number][] = []
  const gone: string[] = []
  for (const subject of changed) {
    const state = evaluator.state(subject)
    const tenant = tenants.get(subject)
    if (state === null || tenant === undefined) gone.push(subject)
    else states.push({ subject, tenant, json: JSON.stringify(saveState(state, evaluator.devices(subject))) })
  }
  return { states, gone }
}

const sealedAtOnce = 50

/**
 * Seals a snapshot. Outside of any transaction, since keys may have to be read; a few at a time, since readings and alerts wait
 * for the same thread.
 * @returns beside what is written those who were erased: nothing more is evaluated of them
 */
export async function sealStates(
  engine: Engine,
  { states, gone }: Snapshot,
): Promise<Pick<StateWrite, 'rows' | 'gone'> & { readonly erased: readonly string[] }> {
  const rows: StateWrite['rows'][number][] = []
  const erased: string[] = []
  for (const [index, { subject, tenant, json }] of states.entries()) {
    if (index % sealedAtOnce === sealedAtOnce - 1) await nextTurn()
    try {
      const key = await engine.keys.keyFor('subject', subject)
      rows.push({ subject, tenant, keyId: key.id, body: key.seal(Buffer.from(json), aadOf(tenant, subject)) })
    } catch (error) {
      if (!isErased(error)) throw error
      erased.push(subject)
    }
  }
  return { rows, gone: [...gone, ...erased], erased }
}

export async function writeCheckpoint(tx: EngineTx, write: StateWrite): Promise<void> {
  const { partition, position, logNow, rows, gone, hearing } = write
  if (rows.length > 0)
    await tx.client.query(
      `insert into engine.evaluator_checkpoint as c (partition, subject_id, tenant_id, position, key_id, body)
       select $1, s.subject, s.tenant, $2, s.key, s.body
         from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::bytea[]) as s(subject, tenant, key, body)
       on conflict (partition, subject_id) do update
          set tenant_id = excluded.tenant_id, position = excluded.position, key_id = excluded.key_id, body = excluded.body`,
      [
        partition,
        position,
        rows.map((row) => row.subject),
        rows.map((row) => row.tenant),
        rows.map((row) => row.keyId),
        rows.map((row) => row.body),
      ],
    )
  if (gone.length > 0)
    await tx.client.query(
      'delete from engine.evaluator_checkpoint where partition = $1 and subject_id = any($2::uuid[])',
      [partition, gone],
    )
  await tx.client.query(
    `insert into engine.evaluator_partition as p (partition, position, log_now, hearing) values ($1, $2, $3, $4)
     on conflict (partition) do update
        set position = excluded.position, log_now = excluded.log_now, hearing = coalesce(excluded.hearing, p.hearing)`,
    [partition, position, logNow, hearing === null ? null : JSON.stringify(hearing)],
  )
}
