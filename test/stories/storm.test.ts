/**
 * A site's power returns and all its devices connect in one moment, over TCP with tokens and over TLS with certificates; then again. All
 * get in, none is forgotten, what they send is stored once, and the server's memory stays bounded. CI: 2,000 and 200; `npm run
 * soak:storm`: 10,000 and 2,000.
 */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test } from 'vitest'
import type { Device } from '../../bench/ingest/generator.ts'
import { ensureCa } from '../../packages/platform/src/fleet/index.ts'
import { type Ground, openGround } from './support/ground.ts'
import { peakMiB } from './support/processes.ts'
import { isSoak } from './support/soak.ts'
import { judge, storedInLog } from './support/stored.ts'
import type { StormOutcome, StormPlan } from './support/storm-client.ts'
import { PATIENCE_MS } from './support/wait.ts'

const TCP = isSoak ? 10_000 : 2_000
const TLS = isSoak ? 2_000 : 200
const STORMS = 3
/** At rest about 150 MiB; a connection costs some 15 KiB, one over TLS some 60 KiB more. */
const MOST_MIB = 500 + Math.ceil((TCP * 25 + TLS * 120) / 1024)
const FILES = 65_536

let ground: Ground

beforeAll(async () => {
  ground = await openGround()
  moreFiles(ground.server.process().pid!)
})
afterAll(() => ground?.end())

beforeEach(() => onTestFailed(() => console.log(ground?.server.output().slice(-4000))))

test(`${TCP} devices over TCP come back at once, ${STORMS} times`, { timeout: PATIENCE_MS }, async () => {
  await storm(await enrol(TCP, 'tcp', false), ground.server.mqtt)
})

test(`${TLS} devices over TLS with certificates come back at once, ${STORMS} times`, {
  timeout: PATIENCE_MS,
}, async () => {
  const { trustedPem } = await ensureCa(ground.rooms().engine)
  await storm(await enrol(TLS, 'tls', true), ground.server.mqtts, trustedPem)
})

async function storm(devices: Device[], port: number, ca?: string): Promise<void> {
  const { server } = ground
  const ackFile = join(server.dir, 'acknowledged')
  const plan: StormPlan = { devices, port, ...(ca ? { ca } : {}), storms: STORMS, ackFile, patienceMs: 240_000 }
  const outcome = await runClient(plan)
  for (const one of outcome.storms) {
    expect(one.in, 'devices that are in').toBe(devices.length)
    expect(one.silent, 'devices that heard nothing').toBe(0)
  }
  expect(peakMiB(server.process().pid!)).toBeLessThan(MOST_MIB)
  const told = devices.map(({ device }) => ({
    options: { device, naming: 'seq' },
    sent: new Set([1, 2, 3]),
    acknowledged: new Set<number>(),
  }))
  for (const line of readFileSync(ackFile, 'utf8').split('\n')) {
    const [index, n] = line.split(' ').map(Number)
    told[index!]!.acknowledged.add(n!)
  }
  const verdict = judge(told, await storedInLog(ground.rooms().engine))
  expect(verdict).toMatchObject({
    acknowledged: devices.length * STORMS,
    stored: devices.length * STORMS,
    lost: [],
    doubled: [],
  })
  console.log(
    `${devices.length} devices:`,
    outcome.storms.map((one) => JSON.stringify(one)).join(' '),
    `server peak ${peakMiB(server.process().pid!)} MiB`,
  )
}

async function runClient(plan: StormPlan): Promise<StormOutcome> {
  const planFile = join(ground.server.dir, 'storm.json')
  writeFileSync(planFile, JSON.stringify(plan))
  const client = spawn(process.execPath, [new URL('./support/storm-client.ts', import.meta.url).pathname, planFile], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  moreFiles(client.pid!)
  return new Promise((resolve, reject) => {
    client.on('message', (message) => {
      if ('storms' in (message as object)) resolve(message as StormOutcome)
    })
    client.once('exit', (code) => reject(new Error(`the storm ended early (${code})`)))
  })
}

/** A connection is a file: the limit of an ordinary shell is below what a site needs. */
function moreFiles(pid: number): void {
  try {
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${FILES}:${FILES}`], { stdio: 'pipe' })
  } catch (error) {
    const limit = Number(/Max open files\s+\d+\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1])
    if (limit > Math.max(TCP, TLS) + 500) return
    throw new Error(
      `A process may open ${limit} files here, and this story needs ${TCP}. Raise it: ulimit -Hn ${FILES}. ${error}`,
    )
  }
}

/** All worn by one patient: it is the connecting that is tried here. */
async function enrol(count: number, prefix: string, certificates: boolean): Promise<Device[]> {
  const { fleet, subjects } = ground.rooms()
  const { by } = ground.clinic
  const room = await subjects.create(by, {
    timeZone: 'America/Chicago',
    resource: { resourceType: 'Location', name: 'Ward' },
  })
  const devices: Device[] = []
  const one = async (i: number): Promise<Device> => {
    const name = `${prefix}-${i}`
    const { id } = await fleet.enrolDevice(by, { name, profile: 'generic', classification: 'medical' })
    await fleet.assign(by, id, room.id, Date.UTC(2020, 0, 1))
    if (!certificates) return { name, device: id, token: (await fleet.createDeviceToken(by, id, {})).token }
    const issued = await fleet.issueCertificate(by, id, {})
    return { name, device: id, cert: issued.certificate, key: issued.privateKey! }
  }
  for (let i = 0; i < count; i += 16)
    devices.push(...(await Promise.all(Array.from({ length: Math.min(16, count - i) }, (_, j) => one(i + j)))))
  return devices
}
