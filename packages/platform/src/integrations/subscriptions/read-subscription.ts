/** A Subscription as a client wrote it, checked and in our words: profile backport-subscription of R4, channel rest-hook. Pure. */
import type { Resource } from '@careloop/fhir'
import { integrationsFailure } from '../errors.ts'
import {
  contentIn,
  type Element,
  filtersIn,
  heartbeatIn,
  isElement,
  maxCountIn,
  type Said,
  timeoutIn,
} from './extensions.ts'
import { type Status, statuses } from './status.ts'
import { type Topic, topicOf, topics } from './topics.ts'

export const contents = ['empty', 'id-only', 'full-resource'] as const
export type Content = (typeof contents)[number]

/** One filter: `Type?name=value&name=value`, decoded. Several must all be met. */
export interface Filter {
  readonly type: string
  readonly pairs: readonly (readonly [name: string, value: string])[]
}

export interface Wanted {
  readonly status: Status
  readonly topic: Topic
  readonly filters: readonly Filter[]
  /** Where notifications are posted. */
  readonly endpoint: string
  /** Sent with each of them; they may hold a secret. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly content: Content
  /** ms without a notification after which one without events is sent; null = none is. */
  readonly heartbeatMs: number | null
  /** For one answer of the endpoint, ms. */
  readonly timeoutMs: number
  /** Events in one notification. */
  readonly maxCount: number
  /** ms: it ends by itself; null = it does not. */
  readonly endAt: number | null
}

export const defaultTimeoutMs = 10_000
const defaultMaxCount = 20
const mostMaxCount = 100
const leastHeartbeatS = 10
const mostHeaders = 10
const mostFilters = 10

/** @throws Failure `subscription-invalid`, its pointer the FHIRPath of the element */
export function readSubscription(resource: Resource): Wanted {
  const channel = isElement(resource.channel) ? resource.channel : {}
  const topic = topicIn(resource)
  return {
    status: statusIn(resource),
    topic,
    filters: filtersFor(topic, resource),
    ...channelIn(channel),
    endAt: endIn(resource),
  }
}

const wrong = (element: string, says: string) =>
  integrationsFailure('subscription-invalid', says, { pointer: `Subscription.${element}` })

function statusIn({ status }: Resource): Status {
  const known = statuses.find((each) => each === status)
  if (known === undefined) throw wrong('status', 'requested or off is expected.')
  return known
}

function topicIn({ criteria }: Resource): Topic {
  const topic = typeof criteria === 'string' ? topicOf(criteria) : null
  if (topic !== null) return topic
  const known = topics.map(({ code }) => code).join(', ')
  throw wrong(
    'criteria',
    `The canonical of a topic is expected: https://careloop.dev/fhir/SubscriptionTopic/ with ${known}.`,
  )
}

function filtersFor(topic: Topic, resource: Resource): Filter[] {
  const said = filtersIn(resource._criteria)
  if (said.length > mostFilters) throw wrong('criteria.extension', `At most ${mostFilters} filters are taken.`)
  const filters = said.map((text, at) => {
    const place = `criteria.extension[${at}]`
    const filter = text === undefined ? null : filterIn(text)
    if (filter === null) throw wrong(place, 'A filter reads Type?parameter=value, as a search does.')
    if (topic.type !== null && filter.type !== topic.type)
      throw wrong(place, `Events of this topic are about ${topic.type}: a filter begins with ${topic.type}?`)
    return filter
  })
  if (topic.type === null && new Set(filters.map(({ type }) => type)).size !== 1)
    throw wrong(
      'criteria.extension',
      'This topic is of all types: name one by a filter, Observation?code=... for instance.',
    )
  return filters
}

function filterIn(text: string): Filter | null {
  const [, type, query] = /^\/?([A-Z][A-Za-z]{0,63})(?:\?(.*))?$/s.exec(text.trim()) ?? []
  return type === undefined ? null : { type, pairs: [...new URLSearchParams(query ?? '')] }
}

function channelIn(channel: Element): Omit<Wanted, 'status' | 'topic' | 'filters' | 'endAt'> {
  if (channel.type !== 'rest-hook') throw wrong('channel.type', 'rest-hook is the one channel that is offered.')
  if (typeof channel.endpoint !== 'string' || !URL.canParse(channel.endpoint))
    throw wrong('channel.endpoint', 'A whole URL is expected: https://host/path.')
  const [mediaType] = typeof channel.payload === 'string' ? channel.payload.split(';') : []
  if (mediaType?.trim() !== 'application/fhir+json')
    throw wrong('channel.payload', 'application/fhir+json is what notifications are sent as.')
  return {
    endpoint: channel.endpoint,
    headers: headersIn(channel),
    content: contentOf(channel._payload),
    ...paceIn(channel),
  }
}

function contentOf(payload: unknown): Content {
  const said = contentIn(payload)
  const known = contents.find((each) => each === said)
  if (known !== undefined) return known
  throw wrong('channel.payload.extension', `backport-payload-content is expected: ${contents.join(', ')}.`)
}

/** HTTP's own, and what says where the message goes and how long it is, are set by who sends it. */
const ours = new Set([
  'host',
  'content-length',
  'content-type',
  'connection',
  'transfer-encoding',
  'te',
  'upgrade',
  'expect',
])

function headersIn({ header }: Element): [string, string][] {
  const list = Array.isArray(header) ? (header as readonly unknown[]) : []
  if (list.length > mostHeaders) throw wrong('channel.header', `At most ${mostHeaders} headers are taken.`)
  return list.map((each, at) => {
    const [, name, value] =
      typeof each === 'string' ? (/^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]{0,4000})$/.exec(each) ?? []) : []
    if (name === undefined || value === undefined)
      throw wrong(`channel.header[${at}]`, 'A header reads Name: value, in ASCII.')
    if (ours.has(name.toLowerCase()))
      throw wrong(`channel.header[${at}]`, 'This header is set by the sender. Leave it out.')
    return [name, value.trim()]
  })
}

function paceIn(channel: Element): Pick<Wanted, 'heartbeatMs' | 'timeoutMs' | 'maxCount'> {
  const heartbeatS = bounded(heartbeatIn(channel), 'heartbeat-period', 0, 31_536_000) ?? 0
  if (heartbeatS > 0 && heartbeatS < leastHeartbeatS)
    throw wrong('channel.extension', `A heartbeat is sent every ${leastHeartbeatS} s at most.`)
  const timeoutS = bounded(timeoutIn(channel), 'timeout', 1, 3_600)
  return {
    heartbeatMs: heartbeatS === 0 ? null : heartbeatS * 1_000,
    timeoutMs: timeoutS === undefined ? defaultTimeoutMs : Math.min(timeoutS * 1_000, defaultTimeoutMs),
    maxCount: Math.min(
      bounded(maxCountIn(channel), 'max-count', 1, Number.MAX_SAFE_INTEGER) ?? defaultMaxCount,
      mostMaxCount,
    ),
  }
}

function bounded(said: Said<number>, name: string, least: number, most: number): number | undefined {
  if (said === undefined) return undefined
  if (said !== null && said >= least && said <= most) return said
  throw wrong('channel.extension', `backport-${name} is a whole number from ${least}.`)
}

function endIn({ end }: Resource): number | null {
  if (end === undefined) return null
  const at = typeof end === 'string' ? Date.parse(end) : Number.NaN
  if (Number.isNaN(at)) throw wrong('end', 'An instant with its zone is expected.')
  return at
}
