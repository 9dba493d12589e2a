import { describe, expect, test } from 'vitest'
import { elementsOf } from '../definitions/index.ts'
import {
  type FhirTree,
  type FhirValue,
  isExact,
  isList,
  isObject,
  parseFhir,
  Unreadable,
  writeFhir,
} from '../json/index.ts'
import { officialExamples } from '../testing/material.ts'
import { parseXml, writeXml } from './index.ts'

const head = '<?xml version="1.0" encoding="UTF-8"?>'
const wrap = (inside: string) => `${head}<Patient xmlns="http://hl7.org/fhir">${inside}</Patient>`

/** A text in which members are in order of name and every number is as it is spelled. */
function spelled(value: FhirValue): string {
  if (isList(value)) return `[${value.map(spelled).join(',')}]`
  if (isExact(value) || !isObject(value)) return JSON.stringify(value)
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${spelled(value[name] as FhirValue)}`).join(',')}}`
}

function refusal(text: string) {
  try {
    parseXml(text)
  } catch (error) {
    if (error instanceof Unreadable) return error.issue
    throw error
  }
  throw new Error('was read')
}

describe('fhir > xml', () => {
  for (const { name, text } of officialExamples()) {
    test(`${name}: JSON to XML and back, and JSON to text and back, lose nothing`, () => {
      const tree = parseFhir(text)
      expect(spelled(parseXml(writeXml(tree)))).toBe(spelled(tree))
      expect(spelled(parseFhir(writeFhir(tree)))).toBe(spelled(tree))
      for (const decimal of text.matchAll(/"(?:value|factor|period|lowerLimit|upperLimit)"\s*:\s*(-?[\d.eE+-]+)/g)) {
        expect(writeFhir(tree)).toContain(`:${decimal[1]}`)
        expect(writeXml(tree)).toContain(`value="${decimal[1]}"`)
      }
    })
  }

  const observation =
    '{"valueQuantity":{"code":"kg","value":1.00,"extension":[{"valueDecimal":2.50,"url":"http://e"}]},"status":"final","resourceType":"Observation","id":"o1","code":{"id":"c","coding":[{"code":"a&<\\"b","system":"s"}]},"contained":[{"id":"p","resourceType":"Patient","active":true}]}'

  test('writes elements in the order of the schemas, attributes where FHIR has them', () => {
    expect(writeXml(parseFhir(observation))).toBe(
      `${head}<Observation xmlns="http://hl7.org/fhir"><id value="o1"/>` +
        '<contained><Patient><id value="p"/><active value="true"/></Patient></contained><status value="final"/>' +
        '<code id="c"><coding><system value="s"/><code value="a&amp;&lt;&quot;b"/></coding></code>' +
        '<valueQuantity><extension url="http://e"><valueDecimal value="2.50"/></extension><value value="1.00"/><code value="kg"/></valueQuantity></Observation>',
    )
  })

  test('the order of the schemas is that of the definitions', () => {
    const names = elementsOf('Observation').map(({ name }) => name)
    expect(names.indexOf('meta')).toBeLessThan(names.indexOf('text'))
    expect(names.indexOf('effective')).toBeLessThan(names.indexOf('value'))
  })

  test('ids and extensions of primitives, lists with holes', () => {
    const text =
      '{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://e","valueCode":"unknown"}]},"name":[{"given":["A",null,"C"],"_given":[null,{"extension":[{"url":"http://e","valueBoolean":false}]},{"id":"c"}]},{"_given":[{"id":"x"}]}],"active":true,"_active":{"id":"act"}}'
    const tree = parseFhir(text)
    const xml = writeXml(tree)
    expect(xml).toContain(
      '<given value="A"/><given><extension url="http://e"><valueBoolean value="false"/></extension></given><given id="c" value="C"/>',
    )
    expect(xml).toContain('<active id="act" value="true"/>')
    expect(spelled(parseXml(xml))).toBe(spelled(tree))
  })

  test('line ends and tabs in values survive attributes', () => {
    const tree: FhirTree = { resourceType: 'Patient', name: [{ text: 'a\nb\tc\r\n  d\u2028😀' }] }
    expect(parseXml(writeXml(tree))).toEqual(tree)
  })

  test('a prefix, single quotes, comments, CDATA in a narrative and character references are XML too', () => {
    const text = `<f:Patient xmlns:f='http://hl7.org/fhir' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='a b'>
      <!-- who --><?pi x?><f:text><f:status value='generated'/><h:div xmlns:h='http://www.w3.org/1999/xhtml'>a <h:b title="&quot;q">x</h:b><![CDATA[<i>]]></h:div></f:text>
      <f:name><f:family value='&#x4D;&#252;ller &amp; &apos;S'/></f:name></f:Patient>`
    expect(parseXml(text)).toEqual({
      resourceType: 'Patient',
      text: {
        status: 'generated',
        div: '<div xmlns="http://www.w3.org/1999/xhtml">a <b title="&quot;q">x</b>&lt;i&gt;</div>',
      },
      name: [{ family: "Müller & 'S" }],
    })
  })

  test('a narrative keeps its spelling; names of HTML become characters; what would break out is refused', () => {
    const div = "<div xmlns='http://www.w3.org/1999/xhtml'>\n  <p class='x'>a &gt; b<br/></p><!-- c -->\n</div>"
    const tree: FhirTree = { resourceType: 'Patient', text: { status: 'generated', div } }
    expect(parseXml(writeXml(tree))).toEqual(tree)
    const leaning: FhirTree = {
      resourceType: 'Patient',
      text: { status: 'generated', div: '<div>a&nbsp;&mdash;</div>' },
    }
    expect(parseXml(writeXml(leaning)).text).toEqual({
      status: 'generated',
      div: '<div xmlns="http://www.w3.org/1999/xhtml">a\u00a0—</div>',
    })
    for (const bad of [
      '<div>a</div></text><active value="false"/><text>',
      '<p>a</p>',
      '<div>a',
      'a',
      '<div>&unknown;</div>',
      '<div><x:y/></div>',
    ]) {
      const broken: FhirTree = { resourceType: 'Patient', text: { status: 'generated', div: bad } }
      expect(() => writeXml(broken)).toThrow('A narrative')
    }
  })

  test('what FHIR XML cannot say is refused with its path', () => {
    const at = (tree: FhirTree) => {
      try {
        return writeXml(tree)
      } catch (error) {
        return error instanceof Unreadable ? error.issue.expression?.[0] : error
      }
    }
    expect(at({ resourceType: 'Patient', name: [{}, { family: 'a\u0000' }] })).toBe('Patient.name[1].family')
    expect(at({ resourceType: 'Patient', gender: '\ud800' })).toBe('Patient.gender')
    expect(at({ resourceType: 'Patient', nothing: 1 })).toBe('Patient')
    expect(at({ resourceType: 'Nothing' })).toBe('Nothing')
    expect(at({ resourceType: 'Patient', name: [{ given: [null] }] })).toBe('Patient.name[0].given[0]')
  })

  test.each([
    [
      '<!DOCTYPE Patient [<!ENTITY x SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"/>',
      'xml-dtd',
      undefined,
    ],
    [wrap('<!ENTITY x "y">'), 'xml-dtd', undefined],
    [wrap('<name><family value="&x;"/></name>'), 'xml', undefined],
    [wrap('<name><family value="&#0;"/></name>'), 'xml', undefined],
    [wrap('<name><family value="a&b"/></name>'), 'xml', undefined],
    [wrap('<name><family value="a<b"/></name>'), 'xml', undefined],
    [wrap('<name><family value="a" value="b"/></name>'), 'xml', undefined],
    [wrap('<name></Name>'), 'xml', undefined],
    [wrap('<name>'), 'xml', undefined],
    [wrap('<x:name/>'), 'xml', undefined],
    [wrap('<!-- a -- b -->'), 'xml', undefined],
    [`${wrap('')}<a/>`, 'xml', undefined],
    [`${wrap('')}text`, 'xml', undefined],
    ['', 'xml', undefined],
    ['{"resourceType":"Patient"}', 'xml', undefined],
    ['<?xml version="1.1"?><Patient xmlns="http://hl7.org/fhir"/>', 'xml', undefined],
    ['<?xml version="1.0" encoding="ISO-8859-1"?><Patient xmlns="http://hl7.org/fhir"/>', 'xml-encoding', undefined],
    [`<Patient xmlns="http://hl7.org/fhir">${'<contained>'.repeat(200)}`, 'depth', undefined],
    ['<Patient/>', 'xml-namespace', 'Patient'],
    ['<Patient xmlns="http://hl7.org/fhir/r5"/>', 'xml-namespace', 'Patient'],
    ['<Person2 xmlns="http://hl7.org/fhir"/>', 'xml-resource', 'Person2'],
    [wrap('<name xmlns="urn:x"/>'), 'xml-namespace', 'Patient.name[0]'],
    [wrap('<name><surname value="a"/></name>'), 'xml-element', 'Patient.name[0].surname'],
    [wrap('<gender value="male"/><active value="true"/>'), 'xml-order', 'Patient.active'],
    [wrap('<gender value="male"/><gender value="female"/>'), 'xml-repeat', 'Patient.gender'],
    [wrap('<gender code="male"/>'), 'xml-attribute', 'Patient.gender'],
    [wrap('<name value="male"/>'), 'xml-attribute', 'Patient.name[0]'],
    [wrap('<gender/>'), 'xml-empty', 'Patient.gender'],
    [wrap('<gender value="male">x</gender>'), 'xml-text', 'Patient.gender'],
    [wrap('<active value="1"/>'), 'xml-value', 'Patient.active'],
    [wrap('<multipleBirthInteger value="01"/>'), 'xml-value', 'Patient.multipleBirthInteger'],
    [wrap('<contained><Patient/><Patient/></contained>'), 'xml-resource', 'Patient.contained[0]'],
    [wrap('<contained/>'), 'xml-resource', 'Patient.contained[0]'],
    [wrap('<text><status value="empty"/><div>a</div></text>'), 'xhtml', 'Patient.text.div'],
    ['<Patient xmlns="http://hl7.org/fhir" id="a"/>', 'xml-attribute', 'Patient'],
  ])('refuses %s by %s at %s', (text, rule, path) => {
    const issue = refusal(text)
    expect({ rule: issue.rule, at: issue.expression?.[0] }).toEqual({ rule, at: path })
  })

  test('a billion laughs are not even heard', () => {
    const laughs = `<!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from({ length: 9 }, (_, at) => `<!ENTITY lol${at} "${'&lol;'.repeat(10)}">`).join('')}]><lolz>&lol9;</lolz>`
    expect(refusal(laughs).rule).toBe('xml-dtd')
  })

  test('the place of bad XML is told and nothing of its text', () => {
    const issue = refusal(wrap('\n<name><family value="Doe"></name>'))
    expect(issue.diagnostics).toContain('line 2, column ')
    expect(JSON.stringify(issue)).not.toContain('Doe')
  })
})
