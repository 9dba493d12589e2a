import { describe, expect, it } from 'vitest'
import { curlOf, requestOf } from './curl.ts'

describe('trying the interface', () => {
  it('takes a path with or without the base, and stays below it', () => {
    expect(requestOf({ ask: 'GET', path: '/fhir/R4/Patient/1', form: '' })).toEqual({
      request: { ask: 'GET', path: '/Patient/1', form: undefined },
    })
    expect(requestOf({ ask: 'GET', path: 'Patient', form: '' })).toHaveProperty('problem')
    expect(requestOf({ ask: 'GET', path: '/../api/v1/me', form: '' })).toHaveProperty('problem')
  })

  it('puts search parameters into a form, encoded, and names the line that is none', () => {
    const form = 'code=http://loinc.org|8480-6\n\nname=O’Brien & sons'
    expect(requestOf({ ask: 'search', path: '/Observation/', form })).toEqual({
      request: {
        ask: 'search',
        path: '/Observation/_search',
        form: 'code=http%3A%2F%2Floinc.org%7C8480-6&name=O%E2%80%99Brien+%26+sons',
      },
    })
    expect(requestOf({ ask: 'search', path: '/Patient', form: 'a=1\nb' })).toEqual({
      problem: 'Line 2 of the parameters is not name=value.',
    })
  })

  it('writes a line for a shell in which nothing of a value is run', () => {
    const line = curlOf({ ask: 'search', path: '/Patient/_search', form: "name=a'$(rm)" }, 'https://care.example.org')
    expect(line).toContain(`--data 'name=a'\\''$(rm)' 'https://care.example.org/fhir/R4/Patient/_search'`)
  })
})
