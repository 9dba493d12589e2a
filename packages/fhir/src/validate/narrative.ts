/** What XHTML a Narrative may hold (FHIR R4, 2.4.2): formatting that no browser runs. */

const ELEMENTS: ReadonlySet<string> = new Set(
  (
    'a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img li ol ' +
    'p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var'
  ).split(' '),
)

const ATTRIBUTES: ReadonlySet<string> = new Set(
  (
    'abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset cite class ' +
    'colspan compact coords dir frame headers height href hreflang hspace id lang longdesc name nowrap rel rev rowspan rules ' +
    'scope shape span src start style summary tabindex title type valign value vspace width xmlns xml:lang xml:space'
  ).split(' '),
)

const TAG = /<(\/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g
/** What is no element: where it begins and ends. */
const OTHERS: readonly (readonly [string, string])[] = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
]

export interface NarrativeFlaws {
  /** Not well formed, or an element, attribute or address that is not allowed (txt-1). */
  readonly isUnsafe: boolean
  /** Neither text nor picture (txt-2). */
  readonly isEmpty: boolean
}

/** Looks at a `div` as text, once from its beginning to its end; nothing is made of it. */
export function narrativeFlaws(div: string): NarrativeFlaws {
  const scan: Scan = { open: [], isUnsafe: !beginsWell(div), hasContent: false, at: 0 }
  while (scan.at < div.length && !scan.isUnsafe) {
    const next = div.indexOf('<', scan.at)
    const text = div.slice(scan.at, next < 0 ? div.length : next)
    if (/\S/.test(text)) {
      scan.hasContent = true
      if (scan.open.length === 0) scan.isUnsafe = true
    }
    scan.at = next < 0 ? div.length : next
    if (next >= 0) takeMarkup(div, scan)
  }
  return { isUnsafe: scan.isUnsafe || scan.open.length > 0, isEmpty: !scan.isUnsafe && !scan.hasContent }
}

interface Scan {
  /** Elements that are not closed yet. */
  readonly open: string[]
  isUnsafe: boolean
  hasContent: boolean
  at: number
}

function beginsWell(div: string): boolean {
  const start = div.slice(0, 1_000)
  return (
    /^\s*<(?:h:)?div\b/.test(start) && /\sxmlns(?::h)?\s*=\s*["']http:\/\/www\.w3\.org\/1999\/xhtml["']/.test(start)
  )
}

function takeMarkup(div: string, scan: Scan): void {
  for (const [start, end] of OTHERS) {
    if (!div.startsWith(start, scan.at)) continue
    const close = div.indexOf(end, scan.at)
    if (close < 0) scan.isUnsafe = true
    scan.at = close < 0 ? div.length : close + end.length
    return
  }
  TAG.lastIndex = scan.at
  const found = TAG.exec(div)
  if (found === null) {
    scan.isUnsafe = true
    return
  }
  scan.at += found[0].length
  takeTag(found, scan)
}

function takeTag([, closing, name = '', attributes = '', isVoid]: RegExpExecArray, scan: Scan): void {
  const plain = name.replace(/^h:/, '')
  if (closing === '/') {
    if (scan.open.pop() !== name) scan.isUnsafe = true
    return
  }
  if (!ELEMENTS.has(plain) || hasBadAttribute(attributes)) scan.isUnsafe = true
  if (plain === 'img') scan.hasContent = true
  if (isVoid !== '/') scan.open.push(name)
}

function hasBadAttribute(attributes: string): boolean {
  for (const [, name = '', double, single] of attributes.matchAll(ATTRIBUTE)) {
    if (!ATTRIBUTES.has(name) && !name.startsWith('xmlns:')) return true
    const isAddress = name === 'href' || name === 'src' || name === 'cite' || name === 'longdesc'
    if (isAddress && /^\s*(?:javascript|vbscript|data:text)/i.test(double ?? single ?? '')) return true
  }
  return false
}
