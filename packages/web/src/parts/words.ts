/** Times and numbers in words that people read at a glance. */

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** `40 s`, `4 min`, `3 h 20 min`, `2 d 4 h`: two units at most, the second only where it decides something. */
export function spanText(ms: number): string {
  const span = Math.max(0, ms)
  if (span < minuteMs) return `${Math.floor(span / 1000)} s`
  if (span < hourMs) return `${Math.floor(span / minuteMs)} min`
  if (span < 10 * hourMs) return twoUnits(span, hourMs, 'h', minuteMs, 'min')
  if (span < dayMs) return `${Math.floor(span / hourMs)} h`
  if (span < 10 * dayMs) return twoUnits(span, dayMs, 'd', hourMs, 'h')
  return `${Math.floor(span / dayMs)} d`
}

function twoUnits(span: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((span % big) / small)
  const first = `${Math.floor(span / big)} ${bigName}`
  return rest === 0 ? first : `${first} ${rest} ${smallName}`
}

/** `just now`, `4 min ago`. */
export const agoText = (at: number, now: number): string =>
  now - at < 5_000 ? 'just now' : `${spanText(now - at)} ago`

/** The viewer's own zone, named on every chart and table of times. */
export const viewerZone = Intl.DateTimeFormat().resolvedOptions().timeZone

const timeFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const secondsFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const yearFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })

/** `10:02` today, else with the day: `3 Mar 10:02`, of another year `3 Mar 2025 10:02`. In the viewer's zone. */
export function momentText(at: number, now: number, seconds = false): string {
  const time = (seconds ? secondsFormat : timeFormat).format(at)
  const day = yearFormat.format(at)
  if (day === yearFormat.format(now)) return time
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear()
  return `${sameYear ? dayFormat.format(at) : day} ${time}`
}

/** `1 reading`, `3 readings`. */
export const countText = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en-GB')} ${n === 1 ? one : many}`

/** `87 bytes`, `12.3 kB`. */
export const bytesText = (n: number): string => (n < 1_000 ? countText(n, 'byte') : `${(n / 1_000).toFixed(1)} kB`)

const flagText = {
  'clock-unset': 'time unknown: the device’s clock was not set',
  'clock-in-future': 'time unknown: the device’s clock ran ahead',
  implausible: 'cannot be true',
  historic: 'came late',
} as const

/** What was found odd about a reading, e.g. `time unknown: the device’s clock was not set`; `''` for nothing. */
export const flagWords = (flags: readonly (keyof typeof flagText)[] = []): string =>
  flags.map((flag) => flagText[flag]).join(', ')

/** What ended: a silence or a battery is in no range. */
export const overWords = ({ nature }: { readonly nature: string }): string =>
  nature === 'technical' ? 'no longer there' : 'in range again'

/** As charts and lists have room for: `Systolic`, not `Systolic blood pressure`. */
export const shortLabel = ({ label }: { readonly label: string }): string => label.replace(/ blood pressure$/, '')
