/** Delivers notifications by mail; without a mail server there is no such stage, and they stand in the pages only. */
import type { Stage } from '../engine/index.ts'
import { emailTimer } from '../workflow/index.ts'
import { type Begun, beginDelivery, deliver, type MailParts } from './deliver-mail.ts'
import { type InvitationParts, workOnInvitations } from './invitation-mail.ts'
import { makeMailServer } from './mail-server.ts'

export { subscriptionsStage } from './subscriptions/stage.ts'

/** Conversations with the mail server at a time. */
const conversations = 4
/** When all are in use a delivery waits so long before it asks again, ms. */
const waitMs = 500
/** At the end of the process a conversation that goes well may end; one that hangs is cut off, and told as unknown, ms. */
const graceMs = 5_000

export const mailStage = (
  parts: (Omit<MailParts, 'engine' | 'server'> & Pick<InvitationParts, 'invitations'>) | null,
): Stage => ({
  name: 'mail',
  async start(engine) {
    if (parts === null) {
      engine.watch.log.info('no mail server is configured: notifications stand in the pages only (CARELOOP_SMTP_URL)')
      return async () => {}
    }
    const server = makeMailServer(parts.settings)
    const stop = workOnMail({ ...parts, engine, server })
    const stopInvitations = workOnInvitations({ ...parts, engine, server })
    return async () => {
      await stopInvitations()
      await stop()
      server.close()
    }
  },
})

/** @returns the stop; `settled` of a test waits for what is under way by calling `runDue` and then `idle` */
export function workOnMail(parts: MailParts): (() => Promise<void>) & { readonly idle: () => Promise<void> } {
  const { engine } = parts
  const underWay = new Set<Promise<void>>()
  const send = (begun: Begun) => {
    const sending = deliver(parts, begun)
      .catch((err) =>
        engine.watch.log.warn({ err, ...begun }, 'a delivery was cut off; it is tried again in half a minute'),
      )
      .finally(() => underWay.delete(sending))
    underWay.add(sending)
  }
  const stopTimers = engine.timers.work(emailTimer, async (fired, tx) => {
    if (underWay.size >= conversations)
      return engine.timers.set(tx, emailTimer, { key: fired.key, ids: fired.ids, at: engine.clock.now() + waitMs })
    const begun = await beginDelivery(parts, fired, tx)
    if (begun !== null) tx.afterCommit(() => send(begun))
  })
  const idle = async () => {
    while (underWay.size > 0) await Promise.all(underWay)
  }
  const stop = async () => {
    await stopTimers()
    const late = new AbortController()
    await Promise.race([idle(), engine.clock.sleep(graceMs, late.signal)])
    late.abort()
    parts.server.close()
    await idle()
  }
  return Object.assign(stop, { idle })
}
