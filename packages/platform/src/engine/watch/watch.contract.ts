import assert from 'node:assert/strict'
import { Failure } from '@careloop/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Watch } from '../ports.ts'

export interface WatchGround {
  readonly watch: Watch
  /** All lines written so far, as text. */
  lines(): string
}

const NAME = 'Zebulon Quackenbush'
const MRN = 'MRN-4471-993'

export function watchContract(name: string, make: () => WatchGround): void {
  describe(`watch: ${name}`, () => {
    it('writes one JSON line with level, time, message and opaque ids', () => {
      const { watch, lines } = make()
      const device = '0190d0a8-0000-7000-8000-000000000001'
      watch.log.info({ device, readings: 3, door: 'mqtt' }, 'readings accepted')
      const line = JSON.parse(lines()) as Record<string, unknown>
      expect(line).toMatchObject({ level: 'info', device, readings: 3, door: 'mqtt', msg: 'readings accepted' })
      expect(String(line.time)).toMatch(/^\d{4}-\d\d-\d\dT/)
    })

    it('never writes text of a field that nobody allowed, however deep', () => {
      const { watch, lines } = make()
      watch.log.info({ name: NAME, patient: { name: [{ family: NAME }] }, bytes: Buffer.from(MRN) }, 'a patient')
      watch.log.child({ patientName: NAME }).warn({ list: [[[[NAME]]]], body: JSON.stringify({ id: MRN }) }, 'a child')
      expect(lines()).not.toContain('Quackenbush')
      expect(lines()).not.toContain('4471')
      expect(lines()).toContain('[redacted]')
    })

    it('never writes text of a field that nobody allowed (any shape of object)', () => {
      const { watch, lines } = make()
      const secret = 'Qx7secretvalue'
      const values = fc.letrec((tie) => ({
        value: fc.oneof(fc.constant(secret), fc.integer(), fc.array(tie('value'), { maxLength: 3 }), tie('object')),
        object: fc.dictionary(fc.constantFrom('name', 'given', 'text', 'a', 'valueString'), tie('value'), {
          maxKeys: 3,
        }),
      }))
      const shapes = fc.dictionary(fc.constantFrom('note', 'b', 'message', 'mrn'), values.value, { maxKeys: 4 })
      fc.assert(
        fc.property(shapes, (shape) => {
          watch.log.info(shape, 'anything')
        }),
        { numRuns: 300 },
      )
      expect(lines()).not.toContain(secret)
    })

    it('never writes what an error quotes: PostgreSQL, JSON.parse, assertions, causes', () => {
      const { watch, lines } = make()
      const sql = Object.assign(new Error(`invalid input syntax for type uuid: "${NAME}"`), {
        code: '22P02',
        severity: 'ERROR',
        detail: `Key (mrn)=(${MRN}) already exists.`,
        where: NAME,
        constraint: 'subject_mrn',
      })
      const parse = thrownBy(() => JSON.parse(`${NAME} is not JSON`))
      const compare = thrownBy(() => assert.equal(NAME, MRN))
      watch.log.error(sql)
      watch.log.error({ err: parse }, 'a bad frame')
      watch.log.error({ err: new Error('outer', { cause: compare }) })
      watch.log.error({ err: new Error(`two lines\n    at ${NAME} (file:1:1)`) }, 'a crafted message')
      watch.log.error({ err: NAME }, 'not an error')
      expect(lines()).not.toContain('Quackenbush')
      expect(lines()).not.toContain('4471')
      expect(lines()).toContain('22P02')
      expect(lines()).toContain('subject_mrn')
      expect(lines()).toContain('watch.contract.ts')
    })

    it('writes the message of a Failure, which we wrote, and of a system error', () => {
      const { watch, lines } = make()
      const kind = { disposition: 'reject', status: 404, issue: 'not-found' } as const
      watch.log.warn({ err: new Failure('device-not-found', kind, 'No such device.') }, 'refused')
      const system = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { syscall: 'connect', code: 'E' })
      watch.log.warn({ err: system }, 'database away')
      expect(lines()).toContain('No such device.')
      expect(lines()).toContain('ECONNREFUSED 127.0.0.1:5432')
    })

    it('never writes values put into a message, tokens, or URLs of requests', () => {
      const { watch, lines } = make()
      watch.log.info('hello %s', NAME)
      watch.log.info({}, 'hello %s', NAME)
      watch.log.info(`token clt_${'a'.repeat(43)} and postgres://careloop:hunter22@db/x`)
      watch.log.info({ ref: `clt_${'a'.repeat(43)}` }, 'a token in an allowed field')
      watch.log.info(
        { req: { method: 'GET', url: `/fhir/Patient?name=${NAME}`, routeOptions: { url: '/fhir/:type' } } },
        'r',
      )
      expect(lines()).not.toMatch(/Quackenbush|aaaa|hunter22/)
      expect(lines()).toContain('/fhir/:type')
    })

    it('gives metrics in the Prometheus text format, one registry an engine', async () => {
      const { Counter } = await import('prom-client')
      const [one, other] = [make().watch, make().watch]
      new Counter({ name: 'careloop_test_total', help: 'A count.', registers: [one.metrics] }).inc(3)
      expect(await one.metrics.metrics()).toContain('careloop_test_total 3')
      expect(await other.metrics.metrics()).not.toContain('careloop_test_total')
    })
  })
}

function thrownBy(fn: () => unknown): unknown {
  try {
    fn()
  } catch (error) {
    return error
  }
  throw new Error('expected it to throw')
}
