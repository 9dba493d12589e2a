/**
 * Which process serves a device, and what it must know before it does: the device's marks as saved, and what the log says
 * since. Taking a device from another process fences that process first, so it cannot append for it any more.
 */
import type { ReadingsLogged } from '@careloop/contract'
import type { Engine } from '../../engine/index.ts'
import { DeviceMarks, unpackMarks } from '../marks/device-marks.ts'

export interface ClaimedDevice {
  readonly marks: DeviceMarks
}

/** What is known of it cannot be read; the other devices of the batch are none the worse. */
interface Unopened {
  readonly error: unknown
}

interface ClaimRow {
  readonly device: string
  readonly previous: string | null
  readonly checkpoint: number | null
  readonly mark_position: number | null
  readonly mark_key: string | null
  readonly mark_body: Buffer | null
}

const CLAIM = `
  select device, previous, checkpoint::float8 as checkpoint, mark_position::float8 as mark_position, mark_key, mark_body
    from engine.claim_devices($1::uuid[], $2)`

export interface Claims {
  /** Makes this process the one that serves the device, and gives what is known of it. */
  claim(device: string): Promise<ClaimedDevice>
  /** What was claimed did not arrive: the claim may stand all the same, and the next one must not take it for an old one. */
  doubt(device: string): void
  /** Devices in doubt: this process's checkpoint must not move beyond them. */
  doubted(): readonly string[]
  /** After this process was fenced: learns which devices it still serves; gives the new fence value. */
  refresh(): Promise<{ readonly fence: number; readonly still: ReadonlySet<string> }>
}

const PARTITION = 0
/** Claims of a reconnect storm go together: one round trip for up to this many devices. */
const MAX_BATCH = 500

export function makeClaims(engine: Engine, process: string): Claims {
  let waiting: { device: string; resolve(claimed: ClaimedDevice): void; reject(error: unknown): void }[] = []
  let running = false
  const scans = makeScans(engine)
  const doubted = new Set<string>()

  async function run(): Promise<void> {
    running = true
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_BATCH)
      waiting = waiting.slice(MAX_BATCH)
      try {
        const claimed = await claimAll(engine, process, [...new Set(batch.map((item) => item.device))], {
          scans,
          doubted,
        })
        for (const item of batch) {
          const known = claimed.get(item.device)!
          if ('marks' in known) item.resolve(known)
          else item.reject(known.error)
        }
      } catch (error) {
        for (const item of batch) {
          doubted.add(item.device)
          item.reject(error)
        }
      }
    }
    running = false
  }

  return {
    claim: (device) =>
      new Promise((resolve, reject) => {
        waiting.push({ device, resolve, reject })
        if (!running) setImmediate(() => void (running || run()))
      }),
    doubt: (device) => void doubted.add(device),
    doubted: () => [...doubted],
    async refresh() {
      // The fence first, then the claims: a claim that comes between has bumped the fence already or will bump it again.
      const { rows } = await engine.db.pool.query<{ fence: number }>(
        `update engine.door_process set fence_seen = coalesce((select value from engine.fence where name = 'door:' || $1::text), 0)
          where process = $1::uuid returning fence_seen::float8 as fence`,
        [process],
      )
      const claims = await engine.db.pool.query<{ device: string }>(
        'select device from engine.device_claim where process = $1',
        [process],
      )
      return { fence: rows[0]!.fence, still: new Set(claims.rows.map((row) => row.device)) }
    },
  }
}

async function claimAll(
  engine: Engine,
  process: string,
  devices: readonly string[],
  { scans, doubted }: { scans: Scans; doubted: Set<string> },
): Promise<Map<string, ClaimedDevice | Unopened>> {
  const { rows } = await engine.db.pool.query<ClaimRow>(CLAIM, [devices, process])
  // Claimed by an earlier try whose answer was lost: that try has lowered our checkpoint to the former holder's.
  const own = rows.some((row) => doubted.has(row.device)) ? await checkpointOf(engine, process) : null
  const claimed = new Map<string, ClaimedDevice | Unopened>()
  for (const row of rows) {
    const marks = await openMarks(engine, row).catch((error: unknown) => ({ error }))
    if ('error' in marks) {
      // The claim stands, but nothing was learned: the next try must not take it for an old one.
      claimed.set(row.device, marks)
      continue
    }
    const checkpoint = row.previous !== null ? row.checkpoint : doubted.has(row.device) ? own : null
    if (checkpoint !== null)
      for (const { position, entry } of await scans.since(checkpoint, row.device))
        if (position > (row.mark_position ?? 0)) marks.learn(entry)
    claimed.set(row.device, { marks })
  }
  for (const [device, known] of claimed)
    if ('marks' in known) doubted.delete(device)
    else doubted.add(device)
  return claimed
}

async function checkpointOf(engine: Engine, process: string): Promise<number | null> {
  const { rows } = await engine.db.pool.query<{ checkpoint: number }>(
    'select checkpoint::float8 as checkpoint from engine.door_process where process = $1',
    [process],
  )
  return rows[0]?.checkpoint ?? null
}

async function openMarks(engine: Engine, row: ClaimRow): Promise<DeviceMarks> {
  if (!row.mark_body || !row.mark_key) return new DeviceMarks()
  const key = await engine.keys.key(row.mark_key)
  return new DeviceMarks(unpackMarks(key.open(row.mark_body, markAad(row.device))))
}

export const markAad = (device: string) => `device-mark:${device}`

// ---------------------------------------------------------------- what the log says since a checkpoint

interface Learnt {
  readonly position: number
  readonly entry: ReadingsLogged
}

interface Scans {
  since(checkpoint: number, device: string): Promise<readonly Learnt[]>
}

/**
 * Reads the log once from a checkpoint to the head for all devices that are taken over together, and goes on from there when
 * more is there by the next question. Forgotten after a minute without questions.
 */
function makeScans(engine: Engine): Scans {
  const scans = new Map<
    number,
    { upTo: number; byDevice: Map<string, Learnt[]>; running: Promise<void>; touched: number }
  >()

  async function extend(checkpoint: number): Promise<Map<string, Learnt[]>> {
    const scan = scans.get(checkpoint) ?? {
      upTo: checkpoint,
      byDevice: new Map(),
      running: Promise.resolve(),
      touched: 0,
    }
    scans.set(checkpoint, scan)
    scan.touched = engine.clock.now()
    // One that failed is its askers' trouble: whoever asks next reads on from where it stood.
    const settled = scan.running.catch(() => {})
    scan.running = settled.then(async () => {
      const head = await engine.log.head(PARTITION)
      while (scan.upTo < head) {
        const commits = await engine.log.read(PARTITION, scan.upTo, 20_000)
        if (commits.length === 0) break
        for (const commit of commits) {
          for (const entry of commit.entries) if (entry.kind === 'readings') add(scan.byDevice, commit.position, entry)
          scan.upTo = commit.position
        }
      }
    })
    await scan.running
    for (const [key, old] of scans) if (old.touched < engine.clock.now() - 60_000) scans.delete(key)
    return scan.byDevice
  }

  return { since: async (checkpoint, device) => (await extend(checkpoint)).get(device) ?? [] }
}

function add(byDevice: Map<string, Learnt[]>, position: number, entry: ReadingsLogged): void {
  const list = byDevice.get(entry.device)
  if (list) list.push({ position, entry })
  else byDevice.set(entry.device, [{ position, entry }])
}
