import { createServer } from 'node:tls'
import { expect, test } from 'vitest'
import { makeManualClock } from '../../engine/clock/manual-clock.ts'
import { testEngine } from '../../engine/testing/index.ts'
import { ensureCa, keepServerCertificate } from '../../fleet/index.ts'
import { serverCertificateFindings } from './doctor-tls.ts'

test('careloop doctor > tells when the certificate of the door ends, and nothing when nobody answers', async () => {
  const ground = await testEngine({ clock: makeManualClock(Date.now()) })
  try {
    const kept = await keepServerCertificate(ground.engine, await ensureCa(ground.engine), ['door'], () => {})
    const server = createServer({ key: kept.first.key, cert: kept.first.cert })
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
    const config = { mqtts: { host: '127.0.0.1', port } }
    expect(await serverCertificateFindings(config)).toMatchObject([{ state: 'good' }])
    const later = Date.now() + 100 * 365 * 86_400_000
    expect(await serverCertificateFindings(config, later)).toMatchObject([{ state: 'bad' }])
    await new Promise((resolve) => server.close(resolve))
    expect(await serverCertificateFindings(config)).toEqual([])
    kept.stop()
  } finally {
    await ground.stop()
  }
})
