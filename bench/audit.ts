/**
 * `npm run bench:audit`: how many audited reads a second the real route answers (GET of a subject, each with its entry in the same
 * transaction, synchronous_commit on), and how many entries a second `verify` takes from an export.
 *
 * --seconds 15   length of the reading     --readers 48   requests in flight     --entries 400000   entries that are verified
 */
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { exportTrail, verifyExport } from '../packages/platform/src/audit/index.ts'
import { openSigningKey } from '../packages/platform/src/audit/seal/signing-key.ts'
import { byConsole } from '../packages/platform/src/subjects/index.ts'
import { option, quantile, report } from './support/report.ts'
import { assertDurableSettings, startServer, type TestServer } from './support/server.ts'

const SECONDS = option('seconds', 15)
const READERS = option('readers', 48)
const ENTRIES = option('entries', 400_000)
const SUBJECTS = 200
const WORK = mkdtempSync(join(tmpdir(), 'careloop-bench-audit-'))
const KEY_FILE = join(WORK, 'audit.key')

async function main(): Promise<void> {
  const server = await startServer({
    CARELOOP_AUDIT_KEY_FILE: KEY_FILE,
    CARELOOP_SERVICE_REQUESTS_PER_SECOND: '1000000',
  })
  try {
    console.log(await assertDurableSettings(server.databaseUrl()))
    const reads = await measureReads(server)
    const verify = await measureVerify(server)
    const rows = [
      {
        what: 'audited reads a second',
        figure: Math.round(reads.perSecond),
        note: `p50 ${reads.p50.toFixed(1)} ms, p99 ${reads.p99.toFixed(1)} ms, ${reads.count} reads, ${reads.entries} entries, ${reads.cpuMs}`,
      },
      {
        what: 'entries verified a second',
        figure: Math.round(verify.perSecond),
        note: `${verify.entries} entries in ${verify.batches} batches`,
      },
    ]
    report('bench:audit', rows, {
      auditedReadsPerSecond: Math.round(reads.perSecond),
      verifyEntriesPerSecond: Math.round(verify.perSecond),
    })
    if (reads.entries < reads.count) throw new Error(`${reads.count} reads left ${reads.entries} entries`)
  } finally {
    await server.remove()
    rmSync(WORK, { recursive: true, force: true })
  }
}

/** Subjects and a service that may read them; then as many reads as go, over connections that are kept. */
async function measureReads(server: TestServer) {
  const { rooms, close } = await server.rooms()
  const tenant = (await rooms.engine.db.tenants())[0] ?? (await rooms.identity.createTenant('Bench'))
  const by = byConsole(tenant)
  const subjects: string[] = []
  for (let i = 0; i < SUBJECTS; i++) {
    // A service has things by its scope; the way of the read and its entry are those of a patient.
    const resource = { resourceType: 'Location' as const, name: `Bench ${i}` }
    subjects.push((await rooms.subjects.create(by, { timeZone: 'UTC', resource })).id)
  }
  const { token } = await rooms.identity.createServiceToken({ tenant, name: 'bench', scopes: ['subject:read'] })
  const countOf = async () =>
    Number(
      (await rooms.engine.db.pool.query(`select count(*) from tenant.audit_entry where action = 'read'`)).rows[0].count,
    )
  const before = await countOf()
  const agent = new Agent({ keepAlive: true, maxSockets: READERS })
  const tookMs: number[] = []
  const read = (at: number) => get(agent, server.http, `/api/v1/subjects/${subjects[at % SUBJECTS]}`, token)
  for (let i = 0; i < 200; i++) await read(i)
  const warm = await countOf()
  const cpuBefore = server.cpu()
  const began = performance.now()
  const until = began + SECONDS * 1000
  const reader = async (from: number) => {
    for (let at = from; performance.now() < until; at += READERS) {
      const asked = performance.now()
      await read(at)
      tookMs.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: READERS }, (_, at) => reader(at)))
  const perSecond = (tookMs.length * 1000) / (performance.now() - began)
  const cpu = server.cpu()
  agent.destroy()
  const entries = (await countOf()) - warm
  if (warm - before < 200) throw new Error('reads left no entries')
  await close()
  const sorted = Float64Array.from(tookMs).sort()
  const msOf = (who: 'server' | 'database') => ((cpu[who] - cpuBefore[who]) * 1000) / tookMs.length
  const cpuMs = `${msOf('server').toFixed(2)} ms server and ${msOf('database').toFixed(2)} ms database CPU each`
  return { perSecond, cpuMs, count: tookMs.length, entries, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
}

/** The trail is filled by statement, sealed by the server itself, exported to a file, and verified from there. */
async function measureVerify(server: TestServer) {
  const { rooms, close } = await server.rooms()
  try {
    const { pool } = rooms.engine.db
    await pool.query(
      `insert into tenant.audit_entry (tenant_id, principal_kind, principal_id, action, outcome, resource, resource_id, subject_id, purpose, request_id)
       select (select id from engine.tenant limit 1), 'staff', gen_random_uuid()::text, 'read', 'success', 'series', n::text,
              gen_random_uuid(), 'TREAT', gen_random_uuid()::text from generate_series(1, $1::int) n`,
      [ENTRIES],
    )
    await sealed(async () => {
      const { rows } = await pool.query(
        'select (select count(*) from tenant.audit_entry) - coalesce(max(tree_size), 0) as waiting from engine.audit_batch',
      )
      return Number(rows[0].waiting) === 0
    })
    const file = join(WORK, 'trail.ndjson')
    await pipeline(exportTrail(rooms.engine), createWriteStream(file))
    const key = (await (await openSigningKey(KEY_FILE, false)).read()).signer.verifierKey
    const began = performance.now()
    const found = await verifyExport(createReadStream(file, { highWaterMark: 1 << 20 }), { keys: [key] })
    const seconds = (performance.now() - began) / 1000
    if (found.finding !== null) throw new Error(found.finding.words)
    return { perSecond: found.entries / seconds, entries: found.entries, batches: found.batches }
  } finally {
    await close()
  }
}

async function sealed(isDone: () => Promise<boolean>): Promise<void> {
  while (!(await isDone())) await new Promise((go) => setTimeout(go, 500))
}

function get(agent: Agent, port: number, path: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { agent, host: '127.0.0.1', port, path, headers: { authorization: `Bearer ${token}` } },
      (response) => {
        response.resume()
        response.on('end', () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`${path} answered ${response.statusCode}`)),
        )
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}
await main()
