import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type TestShell, testShell } from '../api/testing/test-shell.ts'
import { workOnInvitations } from './invitation-mail.ts'
import { makeMailServer } from './mail-server.ts'
import { openPostOffice, type PostOffice } from './testing/post-office.ts'

let shell: TestShell
let office: PostOffice
let end: () => Promise<void>
const by = { actor: 'cli' }

beforeAll(async () => {
  shell = await testShell({ mailsInvitations: true })
})
afterAll(() => shell.close())
beforeEach(async () => {
  office = await openPostOffice()
  const settings = { ...office.settings, origin: 'https://care.example.org' }
  const server = makeMailServer(settings)
  const stop = workOnInvitations({ engine: shell.engine, invitations: shell.identity.invitations, settings, server })
  end = async () => {
    await stop()
    server.close()
    await office.shut()
  }
})
afterEach(() => end())

const invite = (email: string) => shell.identity.invitations.invite(shell.tenant, { email, roles: ['nurse'] }, by)
const listed = async (id: string) =>
  (await shell.identity.invitations.list(shell.tenant)).find((each) => each.id === id)

test('an invitation goes out with its link, once, and its token is not kept any longer', async () => {
  const { id, token } = await invite('one@ward.example')
  await shell.engine.timers.runDue()
  await shell.engine.timers.runDue()
  expect(office.mails.map(({ to }) => to)).toEqual(['one@ward.example'])
  // As a mail program joins what quoted-printable has cut.
  const text = office.mails[0]!.raw.replace(/=\r?\n/g, '').replaceAll('=3D', '=')
  expect(text).toContain(`https://care.example.org/invitation#token=${token}`)
  expect((await listed(id))?.sentAt).not.toBeNull()
  expect(shell.lines.join('')).not.toContain('one@ward.example')
})

test('what the mail server did not take goes out later; what was taken back meanwhile does not', async () => {
  await office.shut()
  const kept = await invite('kept@ward.example')
  const back = await invite('back@ward.example')
  await shell.engine.timers.runDue()
  await shell.identity.invitations.revoke(shell.tenant, back.id, by)
  await office.open()
  await shell.clock.advance(60_000)
  await shell.engine.timers.runDue()
  expect(office.mails.map(({ to }) => to)).toEqual(['kept@ward.example'])
  expect((await listed(kept.id))?.state).toBe('waiting')
})

test('an address that the mail server refuses for good is not tried for ever', async () => {
  office.refuse(550)
  const { id } = await invite('nobody@ward.example')
  await shell.engine.timers.runDue()
  office.refuse(null)
  await shell.clock.advance(60_000)
  await shell.engine.timers.runDue()
  expect(office.mails).toEqual([])
  expect(await listed(id)).toMatchObject({ state: 'waiting', sentAt: null })
})
