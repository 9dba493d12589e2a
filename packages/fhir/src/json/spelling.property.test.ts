import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseXml, writeXml } from '../xml/index.ts'
import { type FhirTree, parseFhir, parseJson, Unreadable, writeFhir } from './index.ts'

const spelledNumber = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.nat(999_999_999),
    fc.option(fc.stringMatching(/^[0-9]{1,20}$/)),
    fc.option(fc.integer({ min: -400, max: 400 })),
  )
  .map(
    ([sign, whole, part, power]) =>
      `${sign}${whole}${part === null ? '' : `.${part}`}${power === null ? '' : `e${power}`}`,
  )

test('fhir > json > any number is written as it was spelled, in JSON and through XML', () => {
  fc.assert(
    fc.property(fc.array(spelledNumber, { minLength: 1, maxLength: 6 }), (numbers) => {
      const components = numbers.map((number) => `{"valueQuantity":{"value":${number}}}`)
      const text = `{"resourceType":"Observation","component":[${components.join(',')}]}`
      expect(writeFhir(parseFhir(text))).toBe(text)
      expect(writeFhir(parseXml(writeXml(parseFhir(text))))).toBe(text)
    }),
    { numRuns: 300 },
  )
})

test('fhir > json > what JSON.parse takes is taken and means the same, unless a member stands twice', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(4), (value, spaces) => {
      const text = JSON.stringify(value, null, spaces)
      expect(JSON.parse(JSON.stringify(parseJson(text)))).toEqual(JSON.parse(text))
    }),
    { numRuns: 300 },
  )
})

const tree: FhirTree = {
  resourceType: 'Patient',
  id: 'a',
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">a<br/>&amp;</div>' },
  contained: [{ resourceType: 'Organization', name: 'b' }],
  name: [{ id: 'n', given: ['a', 'b'], extension: [{ url: 'http://e', valueDecimal: 1 }] }],
}
const texts = [writeXml(tree), writeFhir(tree)]

test('fhir > json, xml > a text that was damaged is read or refused, and nothing else happens', () => {
  const pieces = fc.constantFrom(
    '<',
    '>',
    '&',
    '"',
    "'",
    '/',
    '<![CDATA[',
    '<!--',
    '?>',
    '&#0;',
    '\\',
    '{',
    '}',
    '[',
    ':',
    ',',
    '\u0000',
    '\ud800',
    '<div>',
  )
  const damage = fc.tuple(fc.nat(2_000), fc.nat(12), fc.oneof(pieces, fc.string({ maxLength: 4 })))
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(damage, { minLength: 1, maxLength: 4 }), (text, damages) => {
      const broken = damages.reduce(
        (now, [at, length, put]) => now.slice(0, at % now.length) + put + now.slice((at % now.length) + length),
        text,
      )
      for (const read of [parseXml, parseFhir]) {
        try {
          const again = read(broken)
          expect(parseFhir(writeFhir(again))).toEqual(again)
        } catch (error) {
          if (!(error instanceof Unreadable)) throw error
        }
      }
    }),
    { numRuns: 1_000 },
  )
})
