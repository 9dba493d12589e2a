import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { makeManualClock } from '../../engine/clock/manual-clock.ts'
import { testEngine } from '../../engine/testing/index.ts'
import { openRooms } from '../rooms.ts'
import { pagesFinding, whyTaken } from './doctor.ts'
import { certificateFindings } from './doctor-database.ts'

const scripts = (
  JSON.parse(readFileSync(new URL('../../../../../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<string, string>
  }
).scripts

test('careloop doctor > pages that are not built are to be mended, and npm start builds them', () => {
  expect(pagesFinding(false)).toMatchObject({ state: 'bad', mend: expect.stringContaining('npm start') })
  expect(pagesFinding(true)).toMatchObject({ state: 'good' })
  expect(scripts.prestart).toContain('scripts/build-web.ts')
})

test('careloop doctor > a taken port and an address that is not ours are told apart', async () => {
  const holder = createServer()
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port))
  })
  expect(await whyTaken('127.0.0.1', port)).toBe('EADDRINUSE')
  await new Promise((resolve) => holder.close(resolve))
  expect(await whyTaken('127.0.0.1', port)).toBeNull()
  expect(await whyTaken('192.0.2.1', port)).toBe('EADDRNOTAVAIL')
})

test('careloop doctor > an authority and certificates that end soon are told', async () => {
  const now = Date.now()
  const ground = await testEngine({ clock: makeManualClock(now) })
  try {
    await openRooms(ground.engine, { secureCookies: false })
    const tenant = await ground.tenant()
    await ground.engine.db.pool.query(
      `insert into engine.device_credential (kind, digest, tenant_id, device_id, credential_id, expires_at)
       values ('certificate', '\\x01', $1, $1, $2, $3), ('certificate', '\\x02', $1, $1, $4, $5)`,
      [tenant, ground.engine.ids.uuid(), now - 1, ground.engine.ids.uuid(), now + 86_400_000],
    )
    const look = (at: number) => certificateFindings(ground.engine.db.pool, at)
    expect(await look(now)).toMatchObject([
      { state: 'good', what: expect.stringContaining('authority') },
      { state: 'look', what: 'certificates of devices: 1 have ended, 1 end within 30 days' },
    ])
    expect((await look(now + 100 * 365 * 86_400_000))[0]).toMatchObject({ state: 'bad' })
  } finally {
    await ground.stop()
  }
})
