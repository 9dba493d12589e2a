/**
 * `npm run bench:fhir`: searches, reads and writes of the FHIR record of at least 5,000 patients, over HTTP on a real server in a
 * process of its own, with validation, history, audit, sealing and row-level security on. Observations have distinct bodies and are
 * loaded by the store's own row encoder and statements; what is measured goes through the door. Searches run at two sizes, to see how
 * they grow.
 *
 * --observations 1000000   in the large record          --small 100000   in the small one (0 = none)
 * --patients 5000          --seconds 15                  length of each measurement
 * --only creates,reads     of vitals,last,updated,quantity,creates,bundles,reads
 * --searchers 4 --creators 32 --readers 48 --senders 4   requests in flight      --entries 100   in a bundle
 * --keep FOLDER            the records stay there, and a later run with the same sizes measures again without loading
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Loaded, loadRecord } from './fhir/load.ts'
import * as questions from './fhir/questions.ts'
import { type Client, openClient, type Run, run } from './fhir/requests.ts'
import { option, report, word } from './support/report.ts'
import { assertDurableSettings, startServer, type TestServer } from './support/server.ts'

const OBSERVATIONS = option('observations', 1_000_000)
const SMALL = option('small', 100_000)
const PATIENTS = option('patients', 5_000)
const MS = option('seconds', 15) * 1000
const ENTRIES = option('entries', 100)
const KEEP = word('keep')
const ONLY = word('only')?.split(',')

const bars: Readonly<Record<string, number>> = {
  ...{ vitalsSearchP95Ms: 30, lastVitalsP95Ms: 20, lastUpdatedSortP95Ms: 50, quantitySearchP95Ms: 100 },
  ...{ createPerSecond: 1_000, bundleResourcesPerSecond: 2_500, readsPerSecond: 3_000 },
}

interface Row {
  readonly observations: number
  readonly what: string
  readonly figure: number
  readonly run: Run
  readonly cpuMs: string
}

async function main(): Promise<void> {
  const sizes = SMALL > 0 && SMALL < OBSERVATIONS ? [SMALL, OBSERVATIONS] : [OBSERVATIONS]
  const rows: Row[] = []
  for (const size of sizes) rows.push(...(await measureAt(size)))
  const large = rows.filter(({ observations }) => observations === OBSERVATIONS)
  report(
    'bench:fhir',
    rows.map((row) => told(row, rows)),
    Object.fromEntries(large.map(({ what, figure }) => [what, figure])),
  )
}

async function measureAt(size: number): Promise<Row[]> {
  const folder = KEEP === undefined ? undefined : resolve(KEEP, String(size))
  if (folder !== undefined) mkdirSync(folder, { recursive: true })
  const server = await startServer({ CARELOOP_SERVICE_REQUESTS_PER_SECOND: '1000000' }, folder)
  try {
    console.log(`${size} Observations: ${await assertDurableSettings(server.databaseUrl())}`)
    const loaded = await loadedIn(server, size)
    const rows: Row[] = []
    for (const each of plan(loaded, size === OBSERVATIONS)) {
      if (ONLY !== undefined && !ONLY.includes(each.word)) continue
      const row = { observations: size, ...(await measured(server, loaded.token, each)) }
      console.log(
        `  ${row.what}: ${row.figure}, p50 ${row.run.p50.toFixed(1)} p95 ${row.run.p95.toFixed(1)} ms, ${row.cpuMs}`,
      )
      rows.push(row)
    }
    return rows
  } catch (error) {
    console.error(server.output().slice(-4_000))
    throw error
  } finally {
    await server.remove()
  }
}

interface Planned {
  readonly word: string
  readonly question: questions.Question
  readonly together: number
  readonly figure: (run: Run) => number
}

/** Writes last: what they add belongs to no search that is measured. */
function plan(loaded: Loaded, isLarge: boolean): Planned[] {
  const searchers = option('searchers', 4)
  const p95 = ({ p95 }: Run) => Math.round(p95 * 10) / 10
  const search = (name: string, question: questions.Question) => ({
    word: name,
    question,
    together: searchers,
    figure: p95,
  })
  const searches = [
    search('vitals', questions.vitals(loaded)),
    search('last', questions.lastVitals(loaded)),
    search('updated', questions.lastUpdated(loaded)),
    search('quantity', questions.quantity()),
  ]
  if (!isLarge) return searches
  const rate = ({ perSecond }: Run) => Math.round(perSecond)
  // Of this run alone: a folder that was kept holds those of earlier ones.
  const fresh = loaded.observations + (Date.now() % 1_000_000_000) * 1_000
  return [
    ...searches,
    { word: 'reads', question: questions.reads(loaded), together: option('readers', 48), figure: rate },
    { word: 'creates', question: questions.creates(loaded, fresh), together: option('creators', 32), figure: rate },
    {
      ...{ word: 'bundles', question: questions.bundles(loaded, fresh + 500_000_000, ENTRIES) },
      ...{ together: option('senders', 4), figure: ({ perSecond }: Run) => Math.round(perSecond * ENTRIES) },
    },
  ]
}

async function measured(server: TestServer, token: string, { question, together, figure }: Planned) {
  const client: Client = openClient(server.http, token, together)
  try {
    const entries = await audited(server)
    const before = server.cpu()
    const made = await run(client, { at: together, ms: MS, warmUp: together * 10 }, question.next, question.check)
    const after = server.cpu()
    const requests = made.count + together * 10
    // All at once or one by one: nobody is served without leaving a trace.
    if ((await audited(server)) - entries < requests)
      throw new Error(`${question.name}: fewer audit entries than requests`)
    const each = (who: 'server' | 'database') => (((after[who] - before[who]) * 1000) / requests).toFixed(2)
    const cpuMs = `${each('server')} ms server and ${each('database')} ms database CPU each`
    return { what: question.name, figure: figure(made), run: made, cpuMs }
  } finally {
    client.close()
  }
}

async function audited(server: TestServer): Promise<number> {
  const { rooms, close } = await server.rooms()
  const { rows } = await rooms.engine.db.pool.query<{ count: string }>('select count(*) from tenant.audit_entry')
  await close()
  return Number(rows[0]!.count)
}

/** Loaded now, or by an earlier run into the same folder. */
async function loadedIn(server: TestServer, observations: number): Promise<Loaded> {
  const note = join(server.dir, 'bench-fhir.json')
  if (existsSync(note)) return JSON.parse(readFileSync(note, 'utf8')) as Loaded
  const { rooms, close } = await server.rooms()
  try {
    const loaded = await loadRecord(rooms, { observations, patients: PATIENTS })
    const { pool } = rooms.engine.db
    // As autovacuum leaves a table that has grown for days.
    for (const table of ['clinical_resource', 'clinical_key', 'clinical_history', 'subject', 'audit_entry'])
      await pool.query(`vacuum (analyze) tenant.${table}`)
    await pool.query('checkpoint')
    const { rows } = await pool.query<{ size: string }>(
      'select pg_size_pretty(pg_database_size(current_database())) as size',
    )
    console.log(`database ${rows[0]!.size}`)
    writeFileSync(note, JSON.stringify(loaded), { mode: 0o600 })
    return loaded
  } finally {
    await close()
  }
}

function told({ observations, what, figure, run: { count, p50, p95, p99 }, cpuMs }: Row, rows: readonly Row[]) {
  const small = rows.find((row) => row.what === what && row.observations < observations)
  return {
    ...{
      observations,
      what,
      figure,
      bar: bars[what] ?? '',
      count,
      p50: p50.toFixed(1),
      p95: p95.toFixed(1),
      p99: p99.toFixed(1),
    },
    ...{ grew: small === undefined ? '' : `${(p95 / small.run.p95).toFixed(2)}x`, cpuMs },
  }
}

await main()
