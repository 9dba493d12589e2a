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

const TAG =
  /<(?:!--[\s\S]*?--|!\[CDATA\[[\s\S]*?\]\]|(\/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?))>/g
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

export interface NarrativeFlaws {
  /** Not well formed, or an element, attribute or address that is not allowed (txt-1). */
  readonly isUnsafe: boolean
  /** Neither text nor picture (txt-2). */
  readonly isEmpty: boolean
}

/** Looks at a `div` as text; nothing is made of it. */
export function narrativeFlaws(div: string): NarrativeFlaws {
  const open: string[] = []
  let isUnsafe =
    !/^\s*<(?:h:)?div\b/.test(div) || !/\sxmlns(?::h)?\s*=\s*["']http:\/\/www\.w3\.org\/1999\/xhtml["']/.test(div)
  let hasImage = false
  let text = ''
  let end = 0
  TAG.lastIndex = 0
  for (const [whole, closing, name, attributes = '', isVoid] of div.matchAll(TAG)) {
    const start = div.indexOf(whole, end)
    text += div.slice(end, start)
    end = start + whole.length
    if (name === undefined) continue
    const plain = name.replace(/^h:/, '')
    if (closing === '/') {
      if (open.pop() !== name) isUnsafe = true
      continue
    }
    if (!ELEMENTS.has(plain) || hasBadAttribute(attributes)) isUnsafe = true
    if (plain === 'img') hasImage = true
    if (open.length === 0 && start > 0 && /\S/.test(div.slice(0, start))) isUnsafe = true
    if (isVoid !== '/') open.push(name)
  }
  text += div.slice(end)
  if (open.length > 0 || /[<]/.test(text)) isUnsafe = true
  return { isUnsafe, isEmpty: !hasImage && !/[^\s]/.test(text) }
}

function hasBadAttribute(attributes: string): boolean {
  for (const [, name = '', double, single] of attributes.matchAll(ATTRIBUTE)) {
    if (!ATTRIBUTES.has(name) && !name.startsWith('xmlns:')) return true
    const isAddress = name === 'href' || name === 'src' || name === 'cite' || name === 'longdesc'
    if (isAddress && /^\s*(?:javascript|vbscript|data:text)/i.test(double ?? single ?? '')) return true
  }
  return false
}
