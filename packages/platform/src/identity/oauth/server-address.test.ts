import { expect, test } from 'vitest'
import { redirectTo, wrongWithRedirect } from './redirect-uri.ts'
import { addressesAt } from './server-address.ts'

test('smart > the configured address counts, whatever a request calls us', () => {
  expect(addressesAt('https://care.example.org', 'evil.example', false).fhirUrl).toBe(
    'https://care.example.org/fhir/R4',
  )
})

test.each(['localhost:8080', 'localhost', '127.0.0.1:1', '[::1]:8080'])(
  'smart > without one, %s is this machine',
  (host) => {
    expect(addressesAt(undefined, host, false).issuer).toBe(`http://${host}`)
    expect(addressesAt(undefined, host, true).tokenUrl).toBe(`https://${host}/oauth/token`)
  },
)

test.each([
  ...[
    'care.example.org',
    '192.168.1.7:8080',
    'localhost.evil.example',
    'localhost@evil.example',
    '127.0.0.1.evil.example',
  ],
  ...['localhost:8080/x', 'localhost:123456', '', undefined],
])('smart > without one, %s is nobody', (host) => {
  expect(() => addressesAt(undefined, host, false)).toThrow(expect.objectContaining({ code: 'smart-not-here' }))
})

test.each([
  ...[
    'https://app.example.com/back',
    'https://app.example.com:8443/a/b?tenant=x',
    'http://localhost:8090/',
    'http://[::1]:1/',
  ],
  ...['http://127.0.0.1:8090/back'],
])('smart > %s can be registered', (uri) => expect(wrongWithRedirect(uri)).toBeNull())

test.each([
  ...[
    'http://app.example.com/',
    'http://192.168.1.7/',
    'http://127.0.0.2/',
    'ftp://app.example.com/',
    'javascript:alert(1)',
  ],
  ...[
    'data:text/html,x',
    'https://app.example.com/#',
    'https://a:b@app.example.com/',
    'https://*.example.com/',
    '/back',
    '',
  ],
])('smart > %s cannot', (uri) => expect(wrongWithRedirect(uri)).toEqual(expect.any(String)))

test('smart > what the app is told goes behind what its address had, and replaces what would stand for it', () => {
  expect(
    redirectTo('https://app.example.com/back?tenant=x&code=old', { code: 'new', state: 'a b&c', iss: undefined }),
  ).toBe('https://app.example.com/back?tenant=x&code=new&state=a+b%26c')
})
