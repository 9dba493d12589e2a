import { writeFhir } from '@careloop/fhir'
import { describe, expect, test } from 'vitest'
import { givesUpAfterMs, waitMs } from './backoff.ts'
import { makeFiltering } from './filters.ts'
import { readSubscription } from './read-subscription.ts'
import { askedStatus } from './status.ts'
import { isAfter } from './take-events.ts'
import { aSubscription } from './testing/told-outside.ts'

type Loose = Record<string, unknown>
const wanted = (over: Loose = {}, channel: Loose = {}) => {
  const tree = JSON.parse(writeFhir(aSubscription('s', { endpoint: 'https://ehr.example.org/told' }))) as Loose
  return { ...tree, ...over, channel: { ...(tree.channel as Loose), ...channel } } as never
}
const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-'
const extended = (name: string, value: Loose) => ({ extension: [{ url: `${backport}${name}`, ...value }] })

describe('a Subscription as a client writes it', () => {
  test('what is left out has a default, what is asked for has its bound', () => {
    expect(readSubscription(wanted())).toMatchObject({
      ...{
        status: 'requested',
        content: 'full-resource',
        heartbeatMs: null,
        timeoutMs: 10_000,
        maxCount: 20,
        endAt: null,
      },
      filters: [{ type: 'Observation', pairs: [] }],
    })
    const paced = [
      { url: `${backport}heartbeat-period`, valueUnsignedInt: 60 },
      { url: `${backport}timeout`, valueUnsignedInt: 3 },
      { url: `${backport}max-count`, valuePositiveInt: 5_000 },
    ]
    expect(readSubscription(wanted({ end: '2027-01-01T00:00:00Z' }, { extension: paced }))).toMatchObject({
      ...{ heartbeatMs: 60_000, timeoutMs: 3_000, maxCount: 100, endAt: Date.UTC(2027, 0, 1) },
    })
  })

  test.each<[string, Loose, Loose?]>([
    ['Subscription.status', { status: 'paused' }],
    ['Subscription.criteria', { criteria: 'Observation?code=x' }],
    ['Subscription.criteria', { criteria: 'https://careloop.dev/fhir/SubscriptionTopic/none' }],
    ['Subscription.criteria.extension', { _criteria: undefined }],
    ['Subscription.criteria.extension[0]', { _criteria: extended('filter-criteria', { valueString: 'code=x' }) }],
    ['Subscription.criteria.extension[0]', { _criteria: extended('filter-criteria', { valueCode: 'Observation?' }) }],
    [
      'Subscription.criteria.extension[0]',
      {
        criteria: 'https://careloop.dev/fhir/SubscriptionTopic/task-overdue',
        _criteria: extended('filter-criteria', { valueString: 'Observation?code=x' }),
      },
    ],
    ['Subscription.channel.type', {}, { type: 'websocket' }],
    ['Subscription.channel.endpoint', {}, { endpoint: '/told' }],
    ['Subscription.channel.payload', {}, { payload: 'application/fhir+xml' }],
    ['Subscription.channel.payload', {}, { payload: undefined }],
    ['Subscription.channel.payload.extension', {}, { _payload: undefined }],
    ['Subscription.channel.payload.extension', {}, { _payload: extended('payload-content', { valueCode: 'all' }) }],
    ['Subscription.channel.header[0]', {}, { header: ['Authorization'] }],
    ['Subscription.channel.header[0]', {}, { header: ['X: a\r\nHost: b'] }],
    ['Subscription.channel.header[1]', {}, { header: ['X-Ok: 1', 'Content-Length: 4'] }],
    ['Subscription.channel.header', {}, { header: Array.from({ length: 11 }, (_, n) => `X-${n}: 1`) }],
    ['Subscription.channel.extension', {}, extended('heartbeat-period', { valueUnsignedInt: 5 })],
    ['Subscription.channel.extension', {}, extended('heartbeat-period', { valueString: '60' })],
    ['Subscription.channel.extension', {}, extended('max-count', { valuePositiveInt: 0 })],
    ['Subscription.channel.extension', {}, extended('timeout', { valueUnsignedInt: 0 })],
    ['Subscription.end', { end: 'next year' }],
  ])('%s is refused with its place: %j %j', (pointer, over, channel = {}) => {
    expect(() => readSubscription(wanted(over, channel))).toThrow(
      expect.objectContaining({ code: 'subscription-invalid', pointer }),
    )
  })

  const { assertFilter } = makeFiltering(() => 0, 'https://care.example.org/fhir/R4')
  const filter = (name: string, value = 'x') => ({ type: 'Observation', pairs: [[name, value]] as const })
  test.each(['nonsense', 'patient.name', '_has:Provenance:target:agent', '_sort', '_include', '_count'])(
    'a filter by %s is refused',
    (name) => {
      expect(() => assertFilter(filter(name))).toThrow(expect.objectContaining({ code: 'subscription-invalid' }))
    },
  )
  test.each(['code', 'category', 'patient', 'status'])('a filter by %s is taken', (name) => {
    expect(() => assertFilter(filter(name, 'final'))).not.toThrow()
  })
})

describe('its life', () => {
  test.each([
    ['requested', null, true, 'requested'],
    ['active', null, true, 'requested'],
    ['error', null, true, null],
    ['active', 'active', false, 'active'],
    ['active', 'active', true, 'requested'],
    ['active', 'error', false, 'requested'],
    ['error', 'error', false, 'error'],
    ['error', 'active', false, null],
    ['requested', 'error', false, 'requested'],
    ['active', 'off', false, 'requested'],
    ['off', 'active', true, 'off'],
  ] as const)('asked for %s where it is %s (changed: %s) it becomes %s', (asked, was, changed, becomes) => {
    expect(askedStatus(asked, was, changed)).toBe(becomes)
  })

  test('it is tried again soon, then hourly, and as the endpoint asks within an hour', () => {
    expect([1, 2, 3, 8, 50].map((failures) => waitMs(failures))).toEqual([5_000, 15_000, 45_000, 3_600_000, 3_600_000])
    expect([waitMs(1, 120_000), waitMs(1, 1_000), waitMs(1, 86_400_000)]).toEqual([120_000, 5_000, 3_600_000])
    expect(givesUpAfterMs).toBe(72 * 3_600_000)
  })

  test('positions of facts are compared as numbers', () => {
    expect(isAfter('1000:1', '999:9')).toBe(true)
    expect(isAfter('999:9', '999:10')).toBe(false)
    expect(isAfter('1:1', '0')).toBe(true)
  })
})
