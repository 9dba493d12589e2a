/**
 * `npm run bench:record`: how long from a reading's acknowledgement until its Observation stands as a row, while devices publish at
 * an offered rate; and whether the record keeps up. Streams of the load become summaries; marker devices send one spot value at a
 * time. A row counts when a query of another process sees it (asked every 10 ms).
 *
 * --seconds 30   length of each run        --rates 1000,5000        --devices 1000
 */
import { fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectAsync, type MqttClient } from 'mqtt'
import pg from 'pg'
import type { Engine } from '../packages/platform/src/engine/index.ts'
import type { Device, Outcome, Plan } from './ingest/generator.ts'
import { enrolDevices } from './ingest/setup.ts'
import { caughtUp } from './ingest/telemetry.ts'
import { option, quantile, report } from './support/report.ts'
import { assertDurableSettings, startServer, type TestServer } from './support/server.ts'

const GENERATOR = fileURLToPath(new URL('./ingest/generator.ts', import.meta.url))
const SECONDS = option('seconds', 30)
const DEVICES = option('devices', 1000)
const MARKERS = 50
const EVERY_MS = 100
/** Values that come seldom; 30 to 40 is plausible of each. Five of one in 5 min are told one by one. */
const SIGNALS = ['body-weight', 'body-temperature', 'glucose', 'bmi', 'body-fat', 'respiratory-rate'] as const
const ASK_MS = 10
const CURSOR = 'clinical-observations:0'

interface Run {
  readonly rate: number
  readonly outcome: Outcome
  readonly sent: number
  readonly unseen: number
  readonly ms: readonly number[]
  /** Resources that the record took on in the run. */
  readonly resources: number
  /** Commits that the record was behind the log by, at most. */
  readonly behind: number
}

async function main(): Promise<void> {
  const server = await startServer()
  try {
    console.log(await assertDurableSettings(server.databaseUrl()))
    const { rooms, close } = await server.rooms()
    const { devices } = await enrolDevices(rooms, DEVICES + MARKERS, { certificates: false, watched: false })
    await recordCaughtUp(rooms.engine)
    const runs: Run[] = []
    for (const rate of rates()) {
      runs.push(await runOne(server, devices.slice(MARKERS), devices.slice(0, MARKERS), rate))
      await recordCaughtUp(rooms.engine)
    }
    await close()
    report(
      'bench:record',
      runs.map(rowOf),
      Object.fromEntries(runs.map((run) => [`observationP99MsAt${run.rate}`, round(quantile(run.ms, 0.99))])),
    )
    if (runs.some(({ unseen }) => unseen > 0)) process.exitCode = 1
  } finally {
    await server.remove()
  }
}

/** What enrolling left to do, and the run before, is no part of what is measured. */
async function recordCaughtUp(engine: Engine): Promise<void> {
  await caughtUp(engine)
  const head = await engine.log.head(0)
  while (Number(await engine.db.cursor(CURSOR)) < head) await new Promise((go) => setTimeout(go, 100))
}

async function runOne(
  server: TestServer,
  devices: readonly Device[],
  markers: readonly Device[],
  rate: number,
): Promise<Run> {
  const plan: Plan = {
    ...{ devices, rate, seconds: SECONDS, lateShare: 0.02, duplicateShare: 0.005, window: 16, port: server.mqtt },
    ackFile: join(server.dir, 'acked'),
  }
  const planFile = join(server.dir, 'plan.json')
  writeFileSync(planFile, JSON.stringify(plan), { mode: 0o600 })
  const generator = fork(GENERATOR, [planFile], { stdio: 'inherit' })
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      generator.once('message', resolve)
      generator.once('exit', (code) => reject(new Error(`the generator ended with ${code}`)))
    })
  await next()
  const clients = await Promise.all(markers.map((device) => open(device, server.mqtt)))
  const watch = await watchRecord(server.databaseUrl())
  generator.send('go')
  const ended = next()
  const ackedAt = await sendMarkers(clients, markers)
  const outcome = (await ended) as Outcome
  await new Promise((go) => setTimeout(go, 3_000))
  const { seenAt, resources, behind } = await watch.stop()
  await Promise.all(clients.map((client) => client.endAsync()))
  const ms = [...ackedAt].flatMap(([name, at]) => (seenAt.has(name) ? [Math.max(0, seenAt.get(name)! - at)] : []))
  ms.sort((a, b) => a - b)
  const run = { rate, outcome, sent: ackedAt.size, unseen: ackedAt.size - ms.length, ms, resources, behind }
  console.log(JSON.stringify(rowOf(run)))
  return run
}

const open = (device: Device, port: number): Promise<MqttClient> =>
  connectAsync(`mqtt://127.0.0.1:${port}`, {
    ...{ clientId: device.name, username: device.name, password: device.token! },
    protocolVersion: 4,
  })

/** @returns when each was acknowledged, by `device measuredAt` */
async function sendMarkers(clients: readonly MqttClient[], markers: readonly Device[]): Promise<Map<string, number>> {
  const ackedAt = new Map<string, number>()
  const waiting: Promise<void>[] = []
  for (let i = 0; i < (SECONDS * 1000) / EVERY_MS; i++) {
    const at = Date.now()
    const device = markers[i % markers.length]!
    const signal = SIGNALS[Math.floor(i / markers.length) % SIGNALS.length]!
    const payload = JSON.stringify({ ts: at, values: { [signal]: 30 + (i % 100) / 10 } })
    waiting.push(
      clients[i % clients.length]!.publishAsync(`devices/${device.name}/telemetry`, payload, { qos: 1 }).then(
        () => void ackedAt.set(`${device.device} ${at}`, Date.now()),
      ),
    )
    await new Promise((go) => setTimeout(go, EVERY_MS))
  }
  await Promise.all(waiting)
  return ackedAt
}

/** @param url of a role that row-level security does not bind */
async function watchRecord(url: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const count = async () =>
    Number(
      (await client.query<{ n: string }>('select coalesce(max(seq), 0) as n from tenant.clinical_resource')).rows[0]!.n,
    )
  const began = await count()
  const seenAt = new Map<string, number>()
  let [last, behind, stopped] = [began, 0, false]
  const asking = (async () => {
    for (let i = 0; !stopped; i++) {
      const { rows } = await client.query<{ device_id: string; at: string; seq: string }>(
        `select a.device_id, r.at, r.seq from tenant.clinical_resource r
           join tenant.assignment a on a.tenant_id = r.tenant_id and a.subject_id = r.subject_id
          where r.seq > $1 and r.type = 'Observation' order by r.seq`,
        // Numbers are given before commits: a later one may be seen first.
        [Math.max(began, last - 2_000)],
      )
      const now = Date.now()
      for (const { device_id, at } of rows) if (!seenAt.has(`${device_id} ${at}`)) seenAt.set(`${device_id} ${at}`, now)
      last = Number(rows.at(-1)?.seq ?? last)
      if (i % 20 === 0) behind = Math.max(behind, await behindOf(client))
      await new Promise((go) => setTimeout(go, ASK_MS))
    }
  })()
  return {
    async stop() {
      stopped = true
      await asking
      const resources = (await count()) - began
      await client.end()
      return { seenAt, resources, behind }
    },
  }
}

async function behindOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ behind: string }>(
    `select h.position - coalesce((select position::bigint from engine.cursor where name = 'clinical-observations:0'), 0) as behind
       from engine.log_head h where h.partition = 0`,
  )
  return Number(rows[0]?.behind ?? 0)
}

function rates(): number[] {
  const at = process.argv.indexOf('--rates')
  return at < 0 ? [1_000, 5_000] : process.argv[at + 1]!.split(',').map(Number)
}

const round = (value: number): number => Math.round(value * 10) / 10
const rowOf = ({ rate, outcome, sent, unseen, ms, resources, behind }: Run) => ({
  'offered/s': rate,
  'acknowledged/s': Math.round(outcome.acked / outcome.seconds),
  'PUBACK p99 ms': round(outcome.p99Ms),
  ...{ markers: sent, unseen },
  'Observation p50 ms': round(quantile(ms, 0.5)),
  'Observation p99 ms': round(quantile(ms, 0.99)),
  'Observation max ms': round(ms.at(-1) ?? 0),
  ...{ resources, 'commits behind': behind },
})

await main()
