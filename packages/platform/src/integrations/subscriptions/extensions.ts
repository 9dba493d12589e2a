/** Extensions of the Subscriptions R5 Backport 1.1.0 that a Subscription of R4 carries. */
const base = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/'

export const profileOfSubscription = `${base}backport-subscription`
export const profileOfNotification = `${base}backport-subscription-notification-r4`
export const profileOfStatus = `${base}backport-subscription-status-r4`

const filter = `${base}backport-filter-criteria`
const heartbeat = `${base}backport-heartbeat-period`
const timeout = `${base}backport-timeout`
const maxCount = `${base}backport-max-count`
const content = `${base}backport-payload-content`

/** An element of a resource as it came; nothing is known of it yet. */
export type Element = Readonly<Record<string, unknown>>

export const isElement = (value: unknown): value is Element =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Values of one extension, in their order; those of another kind than asked for are undefined. */
function valuesOf<T>(element: unknown, url: string, is: (extension: Element) => T | undefined): (T | undefined)[] {
  const list = isElement(element) && Array.isArray(element.extension) ? (element.extension as readonly unknown[]) : []
  return list.filter(isElement).flatMap((each) => (each.url === url ? [is(each)] : []))
}

const text = (name: string) => (extension: Element) => {
  const value = extension[name]
  return typeof value === 'string' ? value : undefined
}
const whole = (name: string, least: number) => (extension: Element) => {
  const value = extension[name]
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least ? value : undefined
}

/** Null where one is there that is none of its kind. */
export type Said<T> = T | null | undefined
const first = <T>(values: readonly (T | undefined)[]): Said<T> =>
  values.length === 0 ? undefined : (values[0] ?? null)

/** On `_criteria`: each `Type?parameter=value&...`. */
export const filtersIn = (criteria: unknown): (string | undefined)[] => valuesOf(criteria, filter, text('valueString'))
/** On `channel`, seconds. */
export const heartbeatIn = (channel: unknown): Said<number> =>
  first(valuesOf(channel, heartbeat, whole('valueUnsignedInt', 0)))
/** On `channel`, seconds. */
export const timeoutIn = (channel: unknown): Said<number> =>
  first(valuesOf(channel, timeout, whole('valueUnsignedInt', 0)))
/** On `channel`: events in one notification. */
export const maxCountIn = (channel: unknown): Said<number> =>
  first(valuesOf(channel, maxCount, whole('valuePositiveInt', 1)))
/** On `channel._payload`. */
export const contentIn = (payload: unknown): Said<string> => first(valuesOf(payload, content, text('valueCode')))
