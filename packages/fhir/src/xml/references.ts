import { isXmlText } from './element.ts'

/** Code point of a named character beyond the five of XML, or undefined. */
export type Named = (name: string) => number | undefined

const five: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** The text with its references resolved; undefined when one is unknown, or when a character is none that XML 1.0 can carry. */
export function resolved(text: string, named?: Named): string | undefined {
  let isSound = isXmlText(text)
  if (!text.includes('&')) return isSound ? text : undefined
  const value = text.replace(/&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(\w{1,10}));|&/g, (_whole, decimal, hex, name) => {
    if (name !== undefined && Object.hasOwn(five, name)) return five[name] as string
    const point = name === undefined ? codePoint(decimal, hex) : named?.(name)
    const character = point === undefined || point > 0x10ffff ? '' : String.fromCodePoint(point)
    if (character !== '' && isXmlText(character)) return character
    isSound = false
    return ''
  })
  return isSound ? value : undefined
}

function codePoint(decimal: string | undefined, hex: string | undefined): number | undefined {
  if (decimal !== undefined) return Number(decimal)
  return hex === undefined ? undefined : Number.parseInt(hex, 16)
}
