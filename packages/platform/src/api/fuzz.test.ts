import { OperationOutcome } from '@careloop/contract'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestShell, testShell } from './testing/test-shell.ts'
import { things } from './testing/things.ts'

/** Raised by `npm run soak:*`. */
const numRuns = Number(process.env.CARELOOP_FUZZ_RUNS ?? 1_000)
const id = '01890a5d-ac96-774b-bcce-b302099a8057'
let shell: TestShell
let token: string
beforeAll(async () => {
  shell = await testShell({ routes: () => things })
  token = await shell.token(['device:update'])
})
afterAll(() => shell.close())

const broken = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(text)),
  fc.anything({ withBigInt: false }).map((value) => Buffer.from(JSON.stringify({ label: value, parts: value }) ?? '')),
  fc.json().map((text) => Buffer.from(text.slice(0, -1))),
)

test('api > whatever the bytes of a body, the answer is a result or a reason, never an error of ours', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(broken, fc.constantFrom('identity', 'gzip', 'br', ''), async (payload, encoding) => {
      const answered = await shell.server.inject({
        method: 'POST',
        url: `/api/v1/things/${id}`,
        payload,
        headers: { authorization: token, 'content-type': 'application/json', 'content-encoding': encoding },
      })
      if (answered.statusCode === 200) return
      expect([400, 413, 415]).toContain(answered.statusCode)
      OperationOutcome.parse(answered.json())
    }),
    { numRuns },
  )
})

test('api > whatever the path, query and credentials, the answer is a result or a reason', {
  timeout: 120_000,
}, async () => {
  const segment = fc.oneof(
    fc.string(),
    fc.webPath(),
    fc.constantFrom('api', 'v1', 'things', 'live', 'auth', '..', '%00', '%ff', id),
  )
  const path = fc
    .array(segment, { maxLength: 5 })
    .map((parts) => `/${parts.join('/')}`.replaceAll(/[^\x21-\x7e]|[#\\]/g, ''))
  const credential = fc.oneof(fc.constant(undefined), fc.stringMatching(/^[\x21-\x7e]{0,40}$/))
  await fc.assert(
    fc.asyncProperty(path, credential, credential, async (url, authorization, cookie) => {
      const headers = {
        ...(authorization === undefined ? {} : { authorization: `Bearer ${authorization}` }),
        ...(cookie === undefined ? {} : { cookie: `careloop.session_token=${cookie}` }),
      }
      const answered = await shell.server.inject({ method: 'GET', url: new URL(`http://x${url}`).pathname, headers })
      expect(answered.statusCode).toBeLessThan(500)
      if (answered.statusCode >= 400) OperationOutcome.parse(answered.json())
    }),
    { numRuns },
  )
})
