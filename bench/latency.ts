/**
 * `npm run bench:latency`: how long from the moment a message was due to be sent until its alert stands as a row, and until an
 * open worklist in a browser shows it. Open loop at an offered rate, 3 rules a series; each rate runs three times on one server,
 * the median of the three is told. A row counts when a query of another process sees it; the page, at the next frame painted.
 *
 * --seconds 20   length of each run        --rates 1000,5000        --devices 1000        --runs 3        --no-browser
 */
import { fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildWeb } from '../scripts/build-web.ts'
import { readCrossings } from './ingest/evaluated.ts'
import type { Device, Outcome, Plan } from './ingest/generator.ts'
import { enrolDevices } from './ingest/setup.ts'
import { caughtUp } from './ingest/telemetry.ts'
import { watchRows } from './latency/rows.ts'
import { openWorklist, type ShownWorklist } from './latency/worklist.ts'
import { has, option, quantile, report } from './support/report.ts'
import { assertDurableSettings, startServer, type TestServer } from './support/server.ts'

const GENERATOR = fileURLToPath(new URL('./ingest/generator.ts', import.meta.url))
const SECONDS = option('seconds', 20)
const DEVICES = option('devices', 1000)
const RUNS = option('runs', 3)
const FIRST_CROSSINGS_PER_SECOND = 8

interface Run {
  readonly rate: number
  readonly outcome: Outcome
  readonly crossings: number
  /** Crossings whose row, and whose line in the page, was never seen. */
  readonly unseen: number
  readonly rowMs: readonly number[]
  readonly browserMs: readonly number[]
}

async function main(): Promise<void> {
  if (!has('no-browser')) await buildWeb()
  const server = await startServer()
  try {
    console.log(await assertDurableSettings(server.databaseUrl()))
    const { rooms, close } = await server.rooms()
    const { devices: load, clinics } = await enrolDevices(rooms, DEVICES, { certificates: false, watched: true })
    // What enrolling left to do is no part of what is measured.
    await caughtUp(rooms.engine)
    const browser = has('no-browser') ? null : await openWorklist(server, load, clinics[0]!)
    const runs: Run[] = []
    for (const rate of rates())
      for (let time = 0; time < RUNS; time++) {
        // Each device crosses for the first time once in the whole bench: an alert, not a recurrence.
        const from = runs.length * SECONDS * FIRST_CROSSINGS_PER_SECOND
        if (from + SECONDS * FIRST_CROSSINGS_PER_SECOND > load.length) throw new Error('more --devices are needed')
        const run = await runOne(server, rooms, [...load.slice(from), ...load.slice(0, from)], rate, browser)
        console.log(inWords(run))
        runs.push(run)
        await browser?.clear(rooms)
      }
    await browser?.close()
    await close()
    report(
      'bench:latency',
      rates().map((rate) => rowOf(rate, runs)),
      metricsOf(runs),
    )
    if (runs.some((run) => run.unseen > 0)) process.exitCode = 1
  } finally {
    await server.remove()
  }
}

async function runOne(
  server: TestServer,
  rooms: Awaited<ReturnType<TestServer['rooms']>>['rooms'],
  devices: readonly Device[],
  rate: number,
  browser: ShownWorklist | null,
): Promise<Run> {
  const plan: Plan = {
    ...{ devices, rate, seconds: SECONDS, lateShare: 0.02, duplicateShare: 0.005, window: 16, port: server.mqtt },
    firstCrossingsPerSecond: FIRST_CROSSINGS_PER_SECOND,
    ...{ ackFile: join(server.dir, 'acked'), crossFile: join(server.dir, 'crossed') },
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
  const rows = await watchRows(server.databaseUrl())
  await browser?.begin()
  generator.send('go')
  const outcome = (await next()) as Outcome
  await caughtUp(rooms.engine)
  await new Promise((go) => setTimeout(go, 3_000))
  const seenAt = await rows.stop()
  const shownAt = (await browser?.end()) ?? new Map<string, number>()
  const crossings = readCrossings(plan.crossFile!, devices)
  const rowMs: number[] = []
  const browserMs: number[] = []
  let unseen = 0
  for (const { device, measuredAt, due } of crossings) {
    const row = seenAt.get(`${device} ${measuredAt}`)
    if (row === undefined) unseen++
    else rowMs.push(row - due)
    if (browser === null || !browser.shows(device)) continue
    const shown = shownAt.get(device)
    if (shown === undefined) unseen++
    else browserMs.push(shown - due)
  }
  for (const times of [rowMs, browserMs]) times.sort((a, b) => a - b)
  return { rate, outcome, crossings: crossings.length, unseen, rowMs, browserMs }
}

function rates(): number[] {
  const at = process.argv.indexOf('--rates')
  return at < 0 ? [1_000, 5_000] : process.argv[at + 1]!.split(',').map(Number)
}

const round = (value: number): number => Math.round(value * 10) / 10
const inWords = ({ rate, outcome, crossings, unseen, rowMs, browserMs }: Run): string =>
  `${rate}/s: offered ${outcome.sent}, not offered ${outcome.skipped}, PUBACK p99 ${round(outcome.p99Ms)} ms, ${crossings} first crossings, ${unseen} unseen, ` +
  `row p50 ${round(quantile(rowMs, 0.5))} p99 ${round(quantile(rowMs, 0.99))} ms, ` +
  `browser p50 ${round(quantile(browserMs, 0.5))} p99 ${round(quantile(browserMs, 0.99))} ms`

function median(values: readonly number[]): number {
  return round(
    quantile(
      values.toSorted((a, b) => a - b),
      0.5,
    ),
  )
}

function figuresOf(rate: number, runs: readonly Run[]) {
  const mine = runs.filter((run) => run.rate === rate)
  const of = (times: (run: Run) => readonly number[], q: number) => median(mine.map((run) => quantile(times(run), q)))
  return {
    alertRowP50Ms: of((run) => run.rowMs, 0.5),
    alertRowP99Ms: of((run) => run.rowMs, 0.99),
    browserP50Ms: of((run) => run.browserMs, 0.5),
    browserP99Ms: of((run) => run.browserMs, 0.99),
  }
}

const rowOf = (rate: number, runs: readonly Run[]): Record<string, string | number> => {
  const mine = runs.filter((run) => run.rate === rate)
  const { alertRowP50Ms, alertRowP99Ms, browserP50Ms, browserP99Ms } = figuresOf(rate, runs)
  return {
    'offered/s': rate,
    'sent/s': Math.round(
      quantile(
        mine.map(({ outcome }) => outcome.sent / SECONDS).toSorted((a, b) => a - b),
        0.5,
      ),
    ),
    'row p50 ms': alertRowP50Ms,
    'row p99 ms': alertRowP99Ms,
    'browser p50 ms': browserP50Ms,
    'browser p99 ms': browserP99Ms,
    'alerts a run': Math.round(mine.reduce((sum, run) => sum + run.crossings, 0) / mine.length),
    unseen: mine.reduce((sum, run) => sum + run.unseen, 0),
    'not offered': mine.reduce((sum, run) => sum + run.outcome.skipped, 0),
  }
}

const metricsOf = (runs: readonly Run[]) =>
  Object.fromEntries(rates().map((rate) => [`at${rate}`, figuresOf(rate, runs)]))

await main()
