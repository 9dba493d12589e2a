import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { makeS3Store } from './s3-store.ts'

test('object store > one that sends a byte now and then, for ever, is given up', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    const drip = setInterval(() => response.write('x'), 5)
    response.on('close', () => clearInterval(drip))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  try {
    const store = makeS3Store({
      settings: {
        ...{
          kind: 's3',
          endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
          region: 'r',
          prefix: '',
        },
        ...{ bucket: 'bucket', credentials: { keyId: 'id', secret: 'secret' } },
      },
      ...{ clock: makeManualClock(), timeoutMs: 10_000, wholeMs: 100 },
    })
    await expect(store.get('one')).rejects.toMatchObject({ code: 'object-store-unreachable' })
  } finally {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  }
})
