/** A browser in the words of people. What it says of itself is long, and mostly about others. */

/** The first that fits: those further down say the names of those further up too. */
const browsers = [
  ['Edge', /Edg\//],
  ['Opera', /OPR\//],
  ['Firefox', /Firefox\//],
  ['Chrome', /Chrom(e|ium)\//],
  ['Safari', /Safari\//],
] as const

const systems = [
  ['Android', /Android/],
  ['iPhone', /iPhone/],
  ['iPad', /iPad/],
  ['Windows', /Windows/],
  ['Mac', /Mac OS X/],
  ['Linux', /Linux/],
] as const

export function browserWords(userAgent: string | null): string {
  if (userAgent === null) return 'An unknown program'
  const of = (known: readonly (readonly [string, RegExp])[]) => known.find(([, sign]) => sign.test(userAgent))?.[0]
  const browser = of(browsers)
  const system = of(systems)
  if (browser === undefined) return 'An unknown program'
  return system === undefined ? browser : `${browser} on ${system}`
}
