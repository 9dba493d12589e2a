import { expect, test } from 'vitest'
import type { Deliverable } from '../workflow/index.ts'
import { readMailSettings } from './mail-settings.ts'
import { composeMessage, letterOf } from './message.ts'

const minute = 60_000
const task = '0190a5c0-0000-7000-8000-000000000002'
const due: Deliverable = {
  ...{ id: '0190a5c0-0000-7000-8000-000000000001', about: { task, subject: 's' } },
  ...{ recipient: 'nora', priority: 'high', title: 'Blood pressure severely high', why: 'raised' },
  ...{ createdAt: Date.UTC(2026, 2, 2, 9), wantedAt: Date.UTC(2026, 2, 2, 9), dueAt: Date.UTC(2026, 2, 2, 9, 30) },
  ...{ limitMs: 30 * minute, attempts: 0, isGivenUp: false },
}

test('mail > tells urgency, title, limit, end of it in the time zone of the subject, and the link', () => {
  expect(letterOf(due, 'Europe/Vienna', 'https://c.example/').text.split('\n')).toEqual([
    'High priority: Blood pressure severely high.',
    'Limit 30 min, until 10:30 (Europe/Vienna).',
    '',
    `Open: https://c.example/worklist?task=${task}`,
    '',
    expect.stringContaining('not a primary alarm'),
    '',
  ])
})

test('mail > tells why whoever comes next is told, and that it is late', () => {
  const late = { ...due, why: 'overdue', createdAt: due.createdAt + 60 * minute } as const
  const { text } = letterOf(late, 'UTC', null)
  expect(text).toContain('you are told as the next in line')
  expect(text).toContain('should have been sent at 09:00')
  expect(text).toContain('Open your worklist')
})

test('mail > a title cannot add headers, recipients or markup', async () => {
  const title = 'High\r\nBcc: eve@evil.example\r\n\r\n<img src=x onerror=alert(1)>\u2028"'
  const letter = letterOf({ ...due, title }, 'UTC', null)
  const settings = readMailSettings('smtps://mail.example', 'Careloop <c@clinic.example>', undefined)
  if ('wrong' in settings) throw new Error(settings.says)
  const raw = (await composeMessage(settings, 'nora@clinic.example', { ...due, title }, letter, 0)).toString()
  const headers = raw.slice(0, raw.indexOf('\r\n\r\n'))
  expect(headers).not.toMatch(/^bcc:/im)
  expect(headers.match(/^To: .*$/gim)).toEqual(['To: nora@clinic.example'])
  expect(letter.html).not.toContain('<img')
})

test.each([
  ['smtps://mail.example', { port: 465, tls: 'always' }],
  ['smtp://mail.example', { port: 587, tls: 'upgrade' }],
  ['smtp://mail.example:2525?tls=none', { port: 2525, tls: 'none' }],
  ['smtp://127.0.0.1:1025', { tls: 'none' }],
  ['smtp://127.mail.example', { tls: 'upgrade' }],
  ['smtp://localhost:1025', { port: 1025, tls: 'none' }],
  ['smtp://user:p%40ss@mail.example', { login: { user: 'user', pass: 'p@ss' } }],
])('mail > %s is understood', (url, wanted) => {
  expect(readMailSettings(url, 'c@clinic.example', undefined)).toMatchObject(wanted)
})

test.each([
  ['http://mail.example', 'c@clinic.example', 'url'],
  ['smtp://mail.example?tls=off', 'c@clinic.example', 'url'],
  ['smtp://mail.example', undefined, 'from'],
  ['smtp://mail.example', 'Careloop <c@clinic.example>\r\nBcc: e@evil.example', 'from'],
  ['smtp://mail.example', 'a@b.example, c@d.example', 'from'],
])('mail > %s from %s is refused', (url, from, wrong) => {
  expect(readMailSettings(url, from, undefined)).toMatchObject({ wrong })
})

test('mail > of a review tells how long there is, and leads to it', () => {
  const review = { ...due, about: { review: task }, title: 'Emergency access to a patient', limitMs: 72 * 60 * minute }
  const { text } = letterOf({ ...review, why: 'review-opened' }, 'UTC', 'https://c.example')
  expect(text).toContain('To be closed within 72 h, until 2026-03-02 09:30 (UTC).')
  expect(text).toContain(`Open: https://c.example/reviews?review=${task}`)
  expect(letterOf({ ...review, why: 'review-overdue' }, 'UTC', null).text).toContain('It was not closed in time.')
})

test('mail > of emergency access to a patient of theirs names nobody, and its link neither', () => {
  const told = {
    ...due,
    about: { review: task },
    title: 'Emergency access to a patient of yours',
    why: 'access-taken',
  } as const
  const { text } = letterOf(told, 'UTC', 'https://c.example')
  expect(text).toContain('Compliance was told.')
  expect(text).toContain('Open: https://c.example/\n')
  expect(text).not.toMatch(/Limit|closed within/)
})
