/**
 * `npm run bench:ingest`: 1,000 devices publish by MQTT QoS 1 over plain TCP and over mutual TLS to a real server in its own
 * process, with sealing, encryption, audit, two organisations, late and repeated messages, 3 rules a series and 1 % of messages
 * crossing a threshold. Each transport runs at an offered rate for latency, at one for CPU, and as fast as it goes; counted
 * afterwards against what the generator saw acknowledged.
 *
 * --doors-only   without telemetry and rules, to see what the door and the log alone cost
 * --seconds 60   length of each run        --only tcp|mtls      --rates 5000,15000,26000     --devices 1000
 */
import { fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compare, readingsInLog } from './ingest/count.ts'
import { unevaluated } from './ingest/evaluated.ts'
import type { Device, Outcome, Plan } from './ingest/generator.ts'
import { enrolDevices } from './ingest/setup.ts'
import { caughtUp, mostlySealed, readingsInTelemetry, sealedShare } from './ingest/telemetry.ts'
import { has, option, report } from './support/report.ts'
import { assertDurableSettings, startServer, type TestServer } from './support/server.ts'

const GENERATOR = fileURLToPath(new URL('./ingest/generator.ts', import.meta.url))
const SECONDS = option('seconds', 60)
const DOORS_ONLY = has('doors-only')
const DEVICES = option('devices', 1000)

interface Run {
  readonly transport: 'tcp' | 'mtls'
  readonly rate: number
  readonly outcome: Outcome
  readonly cpuPer100k: number
  readonly lost: number
  readonly duplicated: number
  readonly crossings: number
  /** Crossings that were acknowledged and of which no alert tells. */
  readonly unevaluated: number
  readonly sealedShare: number
}

async function main(): Promise<void> {
  const runs: Run[] = []
  for (const transport of transports()) {
    const server = await startServer({ CARELOOP_SEAL_AFTER_MS: '15000', CARELOOP_ROLE: DOORS_ONLY ? 'ingest' : 'all' })
    try {
      console.log(`${transport}: ${await assertDurableSettings(server.databaseUrl())}`)
      const { rooms, close } = await server.rooms()
      const { devices } = await enrolDevices(rooms, DEVICES, {
        certificates: transport === 'mtls',
        watched: !DOORS_ONLY,
      })
      // What enrolling left to do is no part of what is measured.
      if (!DOORS_ONLY) await caughtUp(rooms.engine)
      await close()
      for (const rate of rates(transport)) runs.push(await runOne(server, devices, transport, rate))
    } finally {
      await server.remove()
    }
  }
  const rows = runs.map(rowOf)
  report('bench:ingest', rows, { tcp: metricsOf(runs, 'tcp'), mtls: metricsOf(runs, 'mtls') })
  if (runs.some((run) => run.lost > 0 || run.duplicated > 0 || run.unevaluated > 0)) process.exitCode = 1
}

async function runOne(
  server: TestServer,
  devices: readonly Device[],
  transport: Run['transport'],
  rate: number,
): Promise<Run> {
  const { rooms, close } = await server.rooms()
  const { engine } = rooms
  const start = await engine.log.head(0)
  const ca = transport === 'mtls' ? await authority(rooms) : undefined
  const plan: Plan = {
    ...{ devices, rate, seconds: SECONDS, lateShare: 0.02, duplicateShare: 0.005, window: 16 },
    port: transport === 'mtls' ? server.mqtts : server.mqtt,
    ...(ca ? { ca } : {}),
    ackFile: join(server.dir, `acked-${transport}-${rate}`),
    ...(DOORS_ONLY ? {} : { crossShare: 0.01, crossFile: join(server.dir, `crossed-${transport}-${rate}`) }),
  }
  const planFile = join(server.dir, 'plan.json')
  writeFileSync(planFile, JSON.stringify(plan), { mode: 0o600 })
  const generator = fork(GENERATOR, [planFile], { stdio: 'inherit' })
  await message(generator)
  const before = server.cpu()
  generator.send('go')
  const outcome = (await message(generator)) as Outcome
  if (!DOORS_ONLY) {
    await caughtUp(engine)
    await mostlySealed(engine)
  }
  const after = server.cpu()
  const cpu = after.server - before.server + after.database - before.database
  const inLog = compare(plan.ackFile, devices, await readingsInLog(engine, start))
  const inTelemetry = DOORS_ONLY ? inLog : compare(plan.ackFile, devices, await readingsInTelemetry(rooms))
  const share = await sealedShare(engine)
  const evaluated = plan.crossFile
    ? await unevaluated(engine, plan.crossFile, devices)
    : { crossings: 0, unevaluated: 0 }
  await close()
  console.log(
    `${transport} ${rate}/s: sent ${outcome.sent}, acknowledged ${outcome.acked}, log lost ${inLog.lost} doubled ${inLog.duplicated}, ` +
      `telemetry lost ${inTelemetry.lost} doubled ${inTelemetry.duplicated}, ` +
      `crossings ${evaluated.crossings} unevaluated ${evaluated.unevaluated}, server ${(after.server - before.server).toFixed(1)} s, ` +
      `database ${(after.database - before.database).toFixed(1)} s, generator ${outcome.cpuSeconds.toFixed(1)} s`,
  )
  return {
    ...{ transport, rate, outcome },
    cpuPer100k: (cpu / outcome.acked) * 100_000,
    lost: inLog.lost + inTelemetry.lost,
    duplicated: inLog.duplicated + inTelemetry.duplicated,
    sealedShare: share,
    ...evaluated,
  }
}

function message(child: ReturnType<typeof fork>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`the generator ended with ${code}`)))
  })
}

async function authority(rooms: Awaited<ReturnType<TestServer['rooms']>>['rooms']): Promise<string> {
  const { ensureCa } = await import('../packages/platform/src/fleet/index.ts')
  return (await ensureCa(rooms.engine)).trustedPem
}

function transports(): Run['transport'][] {
  const at = process.argv.indexOf('--only')
  return at < 0 ? ['tcp', 'mtls'] : [process.argv[at + 1] as Run['transport']]
}

/** Latency, CPU, and more than it can take. */
function rates(transport: Run['transport']): number[] {
  const at = process.argv.indexOf('--rates')
  if (at >= 0) return process.argv[at + 1]!.split(',').map(Number)
  return transport === 'tcp' ? [5_000, 15_000, 30_000] : [5_000, 10_000, 20_000]
}

function rowOf(run: Run): Record<string, string | number> {
  const { outcome } = run
  return {
    transport: run.transport,
    'offered/s': run.rate,
    'messages/s': Math.round(outcome.acked / outcome.seconds),
    'values/s': Math.round((outcome.acked * 3) / outcome.seconds),
    'PUBACK p50 ms': round(outcome.p50Ms),
    'p99 ms': round(outcome.p99Ms),
    'max ms': round(outcome.maxMs),
    'CPU s/100k': round(run.cpuPer100k),
    lost: run.lost,
    doubled: run.duplicated,
    crossings: run.crossings,
    unevaluated: run.unevaluated,
    'sealed %': round(run.sealedShare * 100),
    'not offered': outcome.skipped,
  }
}

function metricsOf(runs: readonly Run[], transport: Run['transport']) {
  const mine = runs.filter((run) => run.transport === transport)
  const fastest = mine.toSorted((a, b) => b.outcome.acked / b.outcome.seconds - a.outcome.acked / a.outcome.seconds)[0]
  const slowest = mine[0]
  const middle = mine[1] ?? mine[0]
  if (!fastest || !slowest || !middle) return {}
  return {
    messagesPerSecond: Math.round(fastest.outcome.acked / fastest.outcome.seconds),
    valuesPerSecond: Math.round((fastest.outcome.acked * 3) / fastest.outcome.seconds),
    pubackP50Ms: round(slowest.outcome.p50Ms),
    pubackP99Ms: round(slowest.outcome.p99Ms),
    lost: mine.reduce((sum, run) => sum + run.lost, 0),
    duplicated: mine.reduce((sum, run) => sum + run.duplicated, 0),
    unevaluated: mine.reduce((sum, run) => sum + run.unevaluated, 0),
    cpuSecondsPer100k: round(middle.cpuPer100k),
    sealedShare: round(Math.min(...mine.map((run) => run.sealedShare))),
  }
}

const round = (value: number): number => Math.round(value * 100) / 100

await main()
