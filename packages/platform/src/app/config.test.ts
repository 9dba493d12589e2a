import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const originOf = (said: string) => readConfig({ CARELOOP_PUBLIC_ORIGIN: said }).publicOrigin

test.each([
  ['https://care.example.org', 'https://care.example.org'],
  ['https://care.example.org/', 'https://care.example.org'],
  ['HTTPS://Care.Example.org:443', 'https://care.example.org'],
  ['http://10.0.0.5:8080', 'http://10.0.0.5:8080'],
])('config > the address of the pages is kept as browsers say it: %s', (said, origin) =>
  expect(originOf(said)).toBe(origin),
)

test.each(['care.example.org', 'javascript:alert(1)', 'https://care.example.org/app', 'https://me@care.example.org'])(
  'config > what is no address of pages is refused, and which setting it is: %s',
  (said) =>
    expect(() => originOf(said)).toThrow(
      expect.objectContaining({ code: 'config-invalid', pointer: '/env/CARELOOP_PUBLIC_ORIGIN' }),
    ),
)

test('config > links in mails begin with the same address', () => {
  const { mail } = readConfig({
    ...{ CARELOOP_PUBLIC_ORIGIN: 'https://care.example.org/', CARELOOP_MAIL_FROM: 'careloop@clinic.example' },
    CARELOOP_SMTP_URL: 'smtps://mail.clinic.example',
  })
  expect(mail?.origin).toBe('https://care.example.org')
})
