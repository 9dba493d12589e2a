import nodemailer from 'nodemailer'
import { expect, it } from 'vitest'
import { type Mail, openMailbox, subjectOf } from './mailbox.ts'

it('demo > what the platform would mail is received on this machine, with its subject in any letters', async () => {
  const mails: Mail[] = []
  const mailbox = await openMailbox((mail) => void mails.push(mail))
  const transport = nodemailer.createTransport(`${mailbox.url}?ignoreTLS=true`)
  const mail = { from: 'careloop@clinic.example', to: 'nurse@clinic.example', text: 'Look at the worklist.' }
  const subjects = ['High priority: a task waits', `Überfällig seit 10 min · ${'sehr '.repeat(30)}lang`]
  for (const subject of subjects) await transport.sendMail({ ...mail, subject })
  transport.close()
  await mailbox.close()
  expect(mails).toEqual(subjects.map((subject) => ({ to: ['nurse@clinic.example'], subject })))
})

it('demo > a mail without a subject has an empty one', () => {
  expect(subjectOf(Buffer.from('From: a@b.example\r\n\r\nSubject: in the body\r\n'))).toBe('')
})
