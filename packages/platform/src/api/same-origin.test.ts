import { expect, test } from 'vitest'
import { assertSameOrigin } from './same-origin.ts'

const host = '127.0.0.1:8080'
const isRefused = (method: string, headers: Record<string, string>, publicOrigin?: string): boolean => {
  try {
    assertSameOrigin(method, { host, ...headers }, publicOrigin)
    return false
  } catch (error) {
    expect(error).toMatchObject({ code: 'cross-origin', kind: { status: 403 } })
    return true
  }
}

test.each<[what: string, method: string, headers: Record<string, string>, refused: boolean]>([
  ['our own page', 'POST', { 'sec-fetch-site': 'same-origin', origin: `http://${host}`, cookie: 'a=b' }, false],
  ['our own page in an older browser', 'POST', { origin: `http://${host}`, cookie: 'a=b' }, false],
  ['a page elsewhere', 'POST', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example', cookie: 'a=b' }, true],
  ['a page elsewhere in an older browser', 'POST', { origin: 'https://evil.example', cookie: 'a=b' }, true],
  ['a page of a sister host', 'DELETE', { 'sec-fetch-site': 'same-site', cookie: 'a=b' }, true],
  ['a page with a hidden origin', 'POST', { origin: 'null', cookie: 'a=b' }, true],
  ['a page elsewhere that signs somebody in', 'POST', { origin: 'https://evil.example' }, true],
  ['another port of this machine', 'POST', { origin: 'http://127.0.0.1:9999', cookie: 'a=b' }, true],
  ['a cookie that says nothing of where it is from', 'PUT', { cookie: 'a=b' }, true],
  ['a program with a token', 'POST', { authorization: 'Bearer cls_x' }, false],
  [
    'a program with a token that names its own origin',
    'POST',
    { authorization: 'Bearer cls_x', origin: 'app://x' },
    false,
  ],
  ['a program that signs in', 'POST', {}, false],
  ['a link from elsewhere that reads', 'GET', { 'sec-fetch-site': 'cross-site', cookie: 'a=b' }, false],
])('api > knows %s', (_what, method, headers, refused) => {
  expect(isRefused(method, headers)).toBe(refused)
})

test('api > behind a proxy that changes Host, pages of the public origin are ours', () => {
  const headers = { origin: 'https://care.example.org', cookie: 'a=b' }
  expect(isRefused('POST', headers)).toBe(true)
  expect(isRefused('POST', headers, 'https://care.example.org')).toBe(false)
})
