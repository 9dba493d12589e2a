import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openObjectStore, readObjectStoreSettings } from '../engine/index.ts'
import { selfSigned, startS3StandIn } from '../engine/testing/index.ts'
import {
  auditHealth,
  auditTrouble,
  describeSinks,
  findKeyFile,
  isElsewhere,
  openSigningKey,
  readSinkRecords,
} from './index.ts'
import { learnFromSink } from './seal/resume.ts'
import { type SealingState, sealingState } from './sealing-state.ts'
import { ageGauge } from './sinks/acknowledged.ts'
import { deliverDue } from './sinks/deliver.ts'
import { openAuditSink, readAuditSink } from './sinks/sink-settings.ts'
import { auditStage, openKey } from './stages.ts'
import { settledEntries, type TrailGround, trailGround } from './testing/trail-ground.ts'

let ground: TrailGround
const dir = mkdtempSync(join(tmpdir(), 'careloop-sinks-'))
const ends: (() => unknown)[] = [() => rmSync(dir, { recursive: true })]
beforeAll(async () => {
  ground = await trailGround()
  await ground.write(2)
  await ground.seal()
  await ground.write(1)
  await ground.seal()
  await ground.save()
})
afterEach(() => ground.putBack())
afterAll(async () => {
  for (const end of ends) await end()
  await ground.stop()
})
const sinkOf = (url: string, secrets = {}) => {
  const settings = readAuditSink(url, secrets)
  if ('wrong' in settings) throw new Error(settings.wrong)
  return openAuditSink(settings, { clock: { ...ground.clock, sleep: async () => {} }, ids: ground.engine.ids })
}
const listening = (server: { listen(port: number, host: string, done: () => void): unknown; address(): unknown }) =>
  new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))

const endsAt = (batch: number) => `The export ends with batch ${batch}; the newest that the sink has is ${batch}.`

describe('a sink', () => {
  it('in S3 gets every checkpoint once, held by object lock for six years, and verifies the trail', async () => {
    const standIn = await startS3StandIn({ now: ground.clock.now })
    ends.push(standIn.close)
    const sink = sinkOf(standIn.url('trail'), standIn.credentials)
    standIn.failNext(2, 503)
    expect(await deliverDue(ground.engine, sink)).toBe(2)
    expect(await deliverDue(ground.engine, sink)).toBe(0)
    const puts = standIn.requests.filter((each) => each.startsWith('PUT'))
    const keys = [...new Set(puts.map((each) => each.slice(4)))]
    expect(keys).toEqual([
      expect.stringMatching(/^trail\/checkpoints\/000000000000-[0-9a-f]{16}\.json$/),
      expect.any(String),
    ])
    const settings = readObjectStoreSettings(standIn.url('trail'), standIn.credentials)
    if ('wrong' in settings) throw new Error(settings.wrong)
    const store = openObjectStore(settings, { clock: ground.clock, ids: ground.engine.ids })
    await expect(store.delete(keys[0]!.slice('trail/'.length))).rejects.toMatchObject({ code: 'object-retained' })
    const file = join(dir, 's3.ndjson')
    writeFileSync(file, keys.map((key) => standIn.versions(key)[0]).join(''))
    expect(await ground.verify({ sink: readSinkRecords([file]) })).toMatchObject({ finding: null, notes: [endsAt(1)] })
  })

  it('that was never told of what a forger built anew holds both, and verify sees it', async () => {
    const folder = join(dir, 'twins')
    const sink = sinkOf(`file://${folder}`)
    await deliverDue(ground.engine, sink)
    const { checkpoint, leaves } = ground.kept.get(1)![0]!
    const { signer } = await ground.key.read()
    const text = checkpoint.slice(0, checkpoint.lastIndexOf('\n\n') + 1)
    const forged = signer.sign(text.replace(/time .*/, 'time 2026-01-05T09:00:00.000Z'))
    await sink.deliver({ batch: 1, checkpoint: forged, leaves: leaves! })
    expect(readSinkRecords([folder]).get(1)).toHaveLength(2)
    expect((await ground.verify({ sink: readSinkRecords([folder]) })).finding).toMatchObject({
      kind: 'rebuilt',
      batch: 1,
    })
  })

  it('by HTTPS acknowledges by 2xx only, is told the token, and is asked again from where it stood', async () => {
    const bodies: string[] = []
    let [status, token] = [500, '']
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      token = request.headers.authorization ?? ''
      if (status === 204) bodies.push(body)
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end()
    })
    ends.push(() => server.close())
    const sink = sinkOf(`http://127.0.0.1:${await listening(server)}/audit`, { token: 'secret' })
    for (status of [500, 302, 401]) {
      const refused = deliverDue(ground.engine, sink)
      await expect(refused).rejects.toMatchObject({ code: 'audit-sink-refused' })
    }
    status = 204
    expect(await deliverDue(ground.engine, sink)).toBe(2)
    expect(token).toBe('Bearer secret')
    const file = join(dir, 'https.ndjson')
    writeFileSync(file, bodies.join('\n'))
    expect(await ground.verify({ sink: readSinkRecords([file]) })).toMatchObject({ finding: null, notes: [endsAt(1)] })
  })

  it('by syslog over TLS takes frames of RFC 5425 from whom it can prove itself to', async () => {
    const tls = await selfSigned()
    const ca = join(dir, 'ca.pem')
    writeFileSync(ca, tls.cert)
    let heard = ''
    const server = createTlsServer(tls, (socket) => {
      socket.on('data', (chunk) => {
        heard += chunk
      })
      socket.on('error', () => {})
    })
    server.on('tlsClientError', () => {})
    ends.push(() => server.close())
    const port = await listening(server)
    await expect(deliverDue(ground.engine, sinkOf(`syslog+tls://127.0.0.1:${port}`))).rejects.toThrow('SELF_SIGNED')
    expect(heard).toBe('')
    expect(await deliverDue(ground.engine, sinkOf(`syslog+tls://127.0.0.1:${port}?ca=${ca}`))).toBe(2)
    const messages: string[] = []
    for (let rest = heard; rest !== ''; ) {
      const [, length = ''] = /^(\d+) /.exec(rest)!
      const start = length.length + 1
      messages.push(
        Buffer.from(rest)
          .subarray(start, start + Number(length))
          .toString(),
      )
      rest = Buffer.from(rest)
        .subarray(start + Number(length))
        .toString()
    }
    expect(messages).toHaveLength(2)
    expect(messages[0]).toMatch(/^<110>1 2026-01-05T08:00:00\.000Z \S+ careloop \d+ checkpoint - \{"checkpoint":/)
    const file = join(dir, 'syslog')
    writeFileSync(file, messages.map((each) => `Jan  5 08:00:01 host ${each}\n`).join(''))
    expect(await ground.verify({ sink: readSinkRecords([file]) })).toMatchObject({ finding: null, notes: [endsAt(1)] })
    await ground.attack('delete from engine.audit_batch where number = 1')
    expect((await ground.verify({ sink: readSinkRecords([file]) })).finding).toMatchObject({
      kind: 'truncated',
      batch: 1,
    })
  })

  it.each([
    ['nonsense', 's3://'],
    ['https://user:secret@host/', 'without credentials'],
    ['http://elsewhere/', 'https://'],
    ['https://host/?ca=relative', 'absolute'],
    ['syslog+tls://host/path', 'syslog+tls://host:6514'],
    ['syslog+tls://host?cert=relative', 'absolute'],
    ['s3://bucket', 'key id and a secret'],
  ])('written as %s is refused in words', (url, says) => {
    const read = readAuditSink(url, {})
    expect(read).toMatchObject({ wrong: expect.stringContaining(says) })
    expect(JSON.stringify(read)).not.toContain('secret@')
  })
})

describe('a restore', () => {
  it.each(['s3', 'folder'])(
    'of database and key file goes on behind the newest number that a %s holds, and says what is lost',
    async (kind) => {
      const standIn = await startS3StandIn({ now: ground.clock.now })
      ends.push(standIn.close)
      const folder = join(dir, 'restored')
      const url = kind === 's3' ? standIn.url('restored') : `file://${folder}`
      const sink = sinkOf(url, standIn.credentials)
      for (let batch = 2; batch < 13; batch++) {
        await ground.write(1)
        await ground.seal()
      }
      await deliverDue(ground.engine, sink)
      await ground.putBack()
      expect(await learnFromSink(ground.key, sink)).toBe(12)
      expect(await learnFromSink(ground.key, sink)).toBeUndefined()
      await ground.write(1)
      expect(await ground.seal()).toBe(13)
      const report = await ground.verify({ restored: [{ first: 2, last: 12 }] })
      expect(report).toMatchObject({ finding: null, batches: 3 })
      expect(report.notes).toContain('Batches 2 to 12 were taken away by a restore, as was said.')
      expect((await ground.verify()).finding).toMatchObject({ kind: 'truncated', batch: 2 })
    },
  )

  it('with a key of before a rotation signs nothing: the sink holds what the newer one signed', async () => {
    const sink = sinkOf(`file://${join(dir, 'rotated')}`)
    const old = readFileSync(ground.keyFile)
    await ground.key.announce()
    for (let batch = 2; batch < 4; batch++) await ground.seal()
    await deliverDue(ground.engine, sink)
    writeFileSync(ground.keyFile, old)
    await expect(learnFromSink(ground.key, sink)).rejects.toMatchObject({ code: 'audit-key-foreign' })
  })

  it('to another path finds the key by the trail it belongs to, and no other', async () => {
    const keys = mkdtempSync(join(dir, 'keys-'))
    const [wanted, mine, other] = ['00000000', '11111111', '22222222'].map((name) => join(keys, `audit-${name}.key`))
    const { signer } = await ground.key.read()
    expect(await findKeyFile(wanted!, signer.name)).toBe(wanted)
    writeFileSync(mine!, readFileSync(ground.keyFile), { mode: 0o600 })
    await openSigningKey(other!, true)
    expect(await findKeyFile(wanted!, signer.name)).toBe(mine)
    expect(await findKeyFile(wanted!)).toBe(wanted)
    expect(await findKeyFile(other!, signer.name)).toBe(other)
    expect(await findKeyFile(join(keys, 'named.key'), signer.name)).toBe(join(keys, 'named.key'))
    expect((await (await openKey(ground.engine, wanted!)).read()).signer.verifierKey).toBe(signer.verifierKey)
  })
})

describe('the stage', () => {
  it('says by readiness that its key is foreign, seals nothing, and lets another have its turn', async () => {
    const stale = `${ground.keyFile}.stale`
    writeFileSync(stale, readFileSync(ground.keyFile), { mode: 0o600 })
    await ground.key.announce()
    for (let batch = 2; batch < 4; batch++) await ground.seal()
    const naps = nappingClock()
    const stop = await auditStage({ keyFile: stale, sinks: [] }).start({ ...ground.engine, clock: naps.clock })
    expect(await naps.next()).toBe(60_000)
    expect(sealingState(ground.engine)?.trouble).toContain('another key')
    const turn = await ground.engine.leases.acquire('audit-sealer', 15_000)
    expect(turn).not.toBeNull()
    await turn!.release()
    await stop()
    expect(await batches()).toBe(4)
  })

  it('does not wait for a bucket that lets nobody read: it seals, and delivers there', async () => {
    const standIn = await startS3StandIn({ now: ground.clock.now })
    ends.push(standIn.close)
    const settings = readAuditSink(standIn.url('blind'), standIn.credentials)
    if ('wrong' in settings) throw new Error(settings.wrong)
    standIn.failNext(1, 403)
    const naps = nappingClock()
    const stage = auditStage({ keyFile: ground.keyFile, sinks: [settings] })
    const stop = await stage.start({ ...ground.engine, clock: naps.clock })
    expect(await naps.next()).toBe(30_000)
    await stop()
    const [asked, ...puts] = standIn.requests
    expect(asked).toMatch(/^GET/)
    expect(puts.length).toBe(await batches())
  })

  it('counts sinks elsewhere only, and not one that is configured no more', () => {
    const [now, folder, bucket] = [10 * 3_600_000, 'folder /x', 's3 bucket']
    const age = (sink: string, ms: number) => ({ sink, batch: 1, signedAt: now - ms })
    const health = { signedAt: now, waitingSince: null, acknowledged: [age(folder, 0), age(bucket, 2 * 3_600_000)] }
    const [here, there] = [
      { name: folder, isElsewhere: false },
      { name: bucket, isElsewhere: true },
    ]
    const trouble = (sinks: SealingState['sinks']) => auditTrouble(health, { now, since: 0, sinks })
    expect(trouble([here, there])).toContain('No sink has taken')
    expect(trouble([here])).toBeNull()
    expect(trouble([{ name: 'https new', isElsewhere: true }])).toContain('No sink has taken')
    expect(auditTrouble(health, { now, since: now - 60_000, sinks: [there] })).toBeNull()
  })

  it.each([
    ['file:///mnt/audit', false],
    ['syslog+tls://127.0.0.1:6514', false],
    ['syslog+tls://[::1]', false],
    ['https://localhost/audit', false],
    ['s3://bucket?endpoint=http://127.0.0.1:9000', false],
    ['s3://bucket?endpoint=https://s3.example.org', true],
    ['syslog+tls://logs.example.org', true],
    ['https://collector.example.org/', true],
  ])('takes %s for elsewhere: %s', (url, elsewhere) => {
    const settings = readAuditSink(url, { keyId: 'k', secret: 's' })
    if ('wrong' in settings) throw new Error(settings.wrong)
    expect(isElsewhere(settings)).toBe(elsewhere)
    const { name } = openAuditSink(settings, ground.engine)
    expect(describeSinks([settings], ground.engine)).toEqual([{ name, isElsewhere: elsewhere }])
  })

  it('tells the age of a sink that never answered', async () => {
    const registry = new Registry()
    const naming = [{ name: 'https silent', isElsewhere: true }]
    ageGauge(ground.engine, registry, naming)
    await ground.clock.advance(90_000)
    const gauge = await registry.getSingleMetric('careloop_audit_acknowledged_age_seconds')!.get()
    expect(gauge.values).toContainEqual(expect.objectContaining({ labels: { sink: 'https silent' }, value: 90 }))
  })

  it('seals and delivers while it runs, at most 60 s apart, and signs the last entries when it ends', async () => {
    const folder = join(dir, 'stage')
    const stage = auditStage({ keyFile: ground.keyFile, sinks: [{ kind: 'folder', folder }] })
    const naps = nappingClock()
    const stop = await stage.start({ ...ground.engine, clock: naps.clock })
    for (let tick = 0; tick < 4; tick++) {
      const ms = await naps.next()
      await ground.write(1)
      await settledEntries(ground.engine)
      await ground.clock.advance(ms)
      naps.wake()
    }
    await naps.next()
    await ground.write(1)
    await settledEntries(ground.engine)
    await stop()
    const report = await ground.verify({ sink: readSinkRecords([folder]) })
    expect(report).toMatchObject({ finding: null, unsealed: 0, entries: 8 })
    expect(readSinkRecords([folder]).size).toBe(await batches())
    // From its first own checkpoint on; before it nobody ran.
    const times = [...readSinkRecords([folder])]
      .filter(([batch]) => batch > 1)
      .map(([, [it]]) => timeIn(it!.checkpoint))
    for (const [at, time] of times.entries()) expect(time - (times[at - 1] ?? time)).toBeLessThanOrEqual(60_000)
  })

  it('tells the age of what a sink has, and says when the trail is not protected', async () => {
    const folder = join(dir, 'age')
    await deliverDue(ground.engine, sinkOf(`file://${folder}`))
    const health = await auditHealth(ground.engine.db.pool)
    expect(health.acknowledged).toContainEqual({ sink: `folder ${folder}`, batch: 1, signedAt: health.signedAt })
    const signedAt = health.signedAt!
    expect(health.waitingSince).toBeNull()
    const waiting = { ...health, waitingSince: signedAt - 6 * 60_000 }
    expect(auditTrouble(waiting, { now: signedAt, since: 0 })).toContain('pg_prepared_xacts')
    expect(auditTrouble(waiting, { now: signedAt, since: signedAt - 60_000 })).toBeNull()
    const at = (now: number, seen = health) => auditTrouble(seen, { now, since: 0 })
    expect(at(signedAt + 60_000)).toBeNull()
    expect(at(signedAt + 6 * 60_000)).toContain('not been sealed')
    const later = { ...health, signedAt: signedAt + 2 * 3_600_000 }
    expect(at(signedAt + 2 * 3_600_000, later)).toContain('No sink has taken')
    expect(auditTrouble({ signedAt: null, acknowledged: [], waitingSince: null }, { now: 1_000, since: 0 })).toBeNull()
  })

  it('does not start where the key is gone that signed before', async () => {
    const stage = auditStage({ keyFile: `${ground.keyFile}.gone`, sinks: [] })
    await expect(stage.start(ground.engine)).rejects.toMatchObject({ code: 'audit-key-missing' })
    expect(readFileSync(ground.keyFile, 'utf8')).toContain('log ')
  })

  const batches = async () =>
    Number((await ground.engine.db.pool.query('select count(*) from engine.audit_batch')).rows[0].count)
  const timeIn = (checkpoint: string) => Date.parse(/^time (.*)$/m.exec(checkpoint)![1]!)
  /** Each sleep of the stage waits until the test wakes it: time passes only where the stage has nothing to do. */
  function nappingClock() {
    const [asleep, heard]: [(() => void)[], ((ms: number) => void)[]] = [[], []]
    const begun: number[] = []
    const sleep = (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        if (signal?.aborted) return resolve()
        signal?.addEventListener('abort', () => resolve())
        asleep.push(resolve)
        const hear = heard.shift()
        if (hear) hear(ms)
        else begun.push(ms)
      })
    return {
      clock: { ...ground.clock, sleep },
      wake: () => asleep.shift()?.(),
      next: () => new Promise<number>((resolve) => (begun.length > 0 ? resolve(begun.shift()!) : heard.push(resolve))),
    }
  }
})
