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
  /** Tenant of each subject whose state is there and cannot be opened: it is to begin anew. */
  readonly lost: ReadonlyMap<string, string>
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

/**
 * Loads all states of a partition into an empty evaluator. States of erased subjects are left out. One that cannot be opened, since
 * its bytes or its key are damaged, is left out too and said so: it must not keep the rules of everybody else from starting.
 * @throws when the database, a key or the master key cannot be read now: the next try may
 */
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
  const lost = new Map<string, string>()
  if (!heads[0]) return { position: null, logNow: 0, tenants, lost, hearing: null }
  const { rows } = await pool.query<StateRow>(
    'select subject_id, tenant_id, key_id, body from engine.evaluator_checkpoint where partition = $1',
    [partition],
  )
  for (const row of rows) {
    const state = await stateOf(engine, rulebook, row)
    if (state === 'erased') continue
    const of = state === 'lost' ? lost : tenants
    of.set(row.subject_id, row.tenant_id)
    if (state !== 'lost') evaluator.restore(row.subject_id, state.rules, state.devices)
  }
  const logNow = Number(heads[0].log_now)
  return { position: Number(heads[0].position), logNow, tenants, lost, hearing: heads[0].hearing }
}

type State = NonNullable<ReturnType<typeof loadState>>

async function stateOf(engine: Engine, rulebook: Rulebook, row: StateRow): Promise<State | 'erased' | 'lost'> {
  const { tenant_id: tenant, subject_id: subject } = row
  try {
    const saved = await openState(engine, row)
    if (saved === null) return 'erased'
    const versions = await versionsOf(rulebook, tenant, saved)
    const state = loadState(saved, (rule, version, own) => versions.get(`${rule}/${version}/${own}`)!, subject)
    if (state !== null) return state
  } catch (err) {
    if (!isDamage(err)) throw err
    engine.watch.log.error({ err, tenant, subject }, 'the state of a subject could not be opened: its rules begin anew')
    return 'lost'
  }
  // A whole checkpoint is of a later version: nothing is damaged, and nothing of it may be thrown away.
  throw new Error('a checkpoint has a format that this version does not know')
}

async function openState(engine: Engine, row: StateRow): Promise<SavedState | null> {
  try {
    const key = await engine.keys.key(row.key_id)
    return parsed(key.open(row.body, aadOf(row.tenant_id, row.subject_id)).toString())
  } catch (error) {
    if (isErased(error)) return null
    throw error
  }
}

/** @throws SyntaxError also for what is JSON and no state */
function parsed(json: string): SavedState {
  const state = JSON.parse(json) as SavedState | null
  if (typeof state !== 'object' || state === null || !Array.isArray(state.rules) || typeof state.format !== 'number')
    throw new SyntaxError('no state of an evaluator')
  return state
}

/**
 * Whether what is kept is damaged for good: its bytes, its key, or what it names. Trouble of the database and a master key that is not
 * in its file pass, or are mended by an operator: then it is tried again.
 */
export const isDamage = (error: unknown): boolean =>
  error instanceof Failure
    ? error.kind.disposition !== 'retry' && !mended.has(error.code)
    : error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError || isMissingRow(error)

const mended: ReadonlySet<string> = new Set([
  'key-destroyed',
  'master-key-missing',
  'master-key-unsafe',
  'master-key-malformed',
])
const isMissingRow = (error: unknown): boolean => error instanceof Error && error.name === 'NoResultError'

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
      if (isErased(error)) erased.push(subject)
      else if (!isDamage(error)) throw error
      // Its key is damaged: it is evaluated from memory, begins anew at each start, and keeps nobody else's from being kept.
      else engine.watch.log.error({ err: error, tenant, subject }, 'the state of a subject could not be sealed')
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
