import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { masterKeysInMemory } from '../packages/platform/src/engine/keys/master-key.ts'
import { migrate } from '../packages/platform/src/engine/migrate/index.ts'
import { openEngine } from '../packages/platform/src/engine/open-engine.ts'
import { startPostgres } from '../packages/platform/src/engine/postgres/index.ts'
import { makeWatch } from '../packages/platform/src/engine/watch/watch.ts'
import { aReading, logged, worn } from '../packages/platform/src/telemetry/fixtures.ts'
import { telemetryStage } from '../packages/platform/src/telemetry/telemetry-stage.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'careloop-bench-'))
const pgs = await startPostgres({ dataDir: join(dataDir, 'postgres') })
await migrate(pgs.url)
const { engine, close } = openEngine({
  url: pgs.url,
  masters: masterKeysInMemory(randomBytes(32)),
  dataDir,
  watch: makeWatch({ level: 'warn' }),
})
const tenant = engine.ids.uuid()
await engine.db.pool.query('insert into engine.tenant (id, name) values ($1,$2)', [tenant, 'x'])
const devs = Array.from({ length: 1000 }, () => worn(tenant))
const pgCpu = () => {
  let t = 0
  for (const p of readdirSync('/proc'))
    if (/^\d+$/.test(p)) {
      try {
        const s = readFileSync(`/proc/${p}/stat`, 'utf8')
        const f = s.slice(s.lastIndexOf(')') + 2).split(' ')
        const pid = Number(p)
        if (s.includes('(postgres)') && (pid === pgs.pid() || Number(f[1]) === pgs.pid()))
          t += Number(f[11]) + Number(f[12]) + Number(f[13]) + Number(f[14])
      } catch {}
    }
  return t / 100
}
// live: 20000 msg/s for 20 s, in commits of 100
const N = 300_000
const stop = await telemetryStage({ sealReadings: 100 }).start(engine)
let sent = 0
const t0 = Date.now()
const cpu0 = process.cpuUsage()
const pg0 = pgCpu()
const appendCpu = 0
while (sent < N) {
  const due = Math.floor(((Date.now() - t0) / 1000) * 20_000)
  if (sent >= due) {
    await new Promise((r) => setTimeout(r, 2))
    continue
  }
  const es = []
  for (let i = 0; i < 200 && sent < N; i++, sent++) {
    const d = devs[sent % 1000]!
    const at = t0 + Math.floor(sent / 20)
    es.push(
      logged(d, [
        aReading('heart-rate', at, 60 + (sent % 50)),
        aReading('spo2', at, 95 + (sent % 5)),
        aReading('body-temperature', at, 36 + (sent % 20) / 10),
      ]),
    )
  }
  await engine.log.append(es)
}
const t1 = Date.now()
while (Number(await engine.db.cursor('telemetry:0')) < (await engine.log.head(0)))
  await new Promise((r) => setTimeout(r, 20))
const c = process.cpuUsage(cpu0)
console.log(
  'sent in',
  t1 - t0,
  'caught up after',
  Date.now() - t1,
  'node cpu s/100k',
  (c.user + c.system) / 1e6 / (N / 1e5),
  'pg cpu s/100k',
  (pgCpu() - pg0) / (N / 1e5),
)
await new Promise((r) => setTimeout(r, 3000))
console.log(
  (
    await engine.db.pool.query(
      'select (select count(*) from engine.sample) open, (select sum(n) from engine.sample) openn, (select count(*) from engine.chunk) chunks, (select sum(n) from engine.chunk where tier=0) sealed',
    )
  ).rows[0],
)
console.log(await engine.watch.metrics.metrics())
const c2 = process.cpuUsage(cpu0)
console.log('total node cpu s/100k', (c2.user + c2.system) / 1e6 / (N / 1e5), 'pg', (pgCpu() - pg0) / (N / 1e5))
await stop()
await close()
await pgs.stop()
rmSync(dataDir, { recursive: true, force: true })
