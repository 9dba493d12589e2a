/**
 * Sends invitations: the link stands sealed in identity's row, the timer carries ids only. At least once: when this process ends
 * between the mail server's yes and our note of it, the same link goes out again.
 */
import MailComposer from 'nodemailer/lib/mail-composer'
import type { Engine } from '../engine/index.ts'
import { type InvitationMail, type Invitations, invitationTimer } from '../identity/index.ts'
import { type MailServer, MailTrouble } from './mail-server.ts'
import type { MailSettings } from './mail-settings.ts'

export interface InvitationParts {
  readonly engine: Engine
  readonly invitations: Pick<Invitations, 'mailOf' | 'markSent'>
  readonly settings: MailSettings
  readonly server: MailServer
}

/** @returns the stop */
export function workOnInvitations({ engine, invitations, settings, server }: InvitationParts): () => Promise<void> {
  return engine.timers.work(invitationTimer, async ({ ids }, tx) => {
    const { tenant, invitation } = ids as { tenant: string; invitation: string }
    const due = await invitations.mailOf(tenant, invitation)
    if (due === null) return
    try {
      await send(server, settings, due, engine.clock.now(), invitation)
    } catch (error) {
      // Whom it was for, and whether they exist there, is nobody's business: the server's words are not told on. A final no ends it.
      if (!(error instanceof MailTrouble && error.isFinal)) throw error
      engine.watch.log.warn({ invitation }, 'the mail server refused an invitation: hand its link over another way')
      return
    }
    await invitations.markSent(tx, invitation)
  })
}

async function send(
  server: MailServer,
  settings: MailSettings,
  due: InvitationMail,
  at: number,
  id: string,
): Promise<void> {
  const message = await composeInvitation(settings, due, at, id)
  const session = await server.session()
  try {
    await session.send(settings.address, due.email, message)
    session.release()
  } catch (error) {
    session.close()
    throw error
  }
}

/** The token stands behind `#`: relays that open links to look at them send it to no server. */
function composeInvitation(settings: MailSettings, due: InvitationMail, at: number, id: string): Promise<Buffer> {
  const origin = settings.origin?.replace(/\/$/, '') ?? ''
  const until = new Date(due.expiresAt).toISOString().slice(0, 16).replace('T', ' ')
  const text = [
    `${oneLine(due.organisation)} invites you to work with Careloop.`,
    '',
    `Open: ${origin}/invitation#token=${due.token}`,
    '',
    `The link is good once, until ${until} UTC. If you did not expect this message, do nothing.`,
    '',
  ].join('\n')
  const host = settings.address.slice(settings.address.indexOf('@') + 1)
  return new MailComposer({
    ...{ from: settings.from, to: { name: '', address: due.email }, subject: 'Your invitation to Careloop', text },
    ...{ date: new Date(at), messageId: `<${id}@${host}>`, headers: { 'Auto-Submitted': 'auto-generated' } },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  })
    .compile()
    .build()
}

const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, 160)
