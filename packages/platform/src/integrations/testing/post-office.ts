/** A real mail server on loopback that keeps what it accepts, and can be made to misbehave. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import { type MailSettings, readMailSettings } from '../mail-settings.ts'

export interface Mail {
  readonly to: string
  readonly raw: string
  readonly messageId: string
}

export interface PostOffice {
  readonly mails: Mail[]
  readonly settings: MailSettings
  /** Calls to it; a held connection gets no greeting until `letIn`. */
  holdAtTheDoor(): { readonly came: Promise<void>; letIn(): void }
  /** What it says to the next recipients, e.g. 550; null = 250. */
  refuse(code: number | null): void
  /** Takes the next message and then cuts the connection instead of saying so. */
  fallSilentOnce(): void
  /** Takes the next message like this and says nothing yet: whoever sent it does not know whether it was taken. */
  holdAnswer(isMeant?: (mail: Mail) => boolean): HeldAnswer
  /** Nobody answers at its port any more. */
  shut(): Promise<void>
  /** At the same port again. */
  open(): Promise<void>
}

export interface HeldAnswer {
  readonly taken: Promise<Mail>
  /** Says now that it was taken, when somebody still listens; without a message it is held no more. */
  answer(): void
}

interface Held {
  readonly isMeant: (mail: Mail) => boolean
  readonly taken: (mail: Mail) => void
  readonly answered: Promise<void>
}

export async function openPostOffice(): Promise<PostOffice> {
  const mails: Mail[] = []
  let refusal: number | null = null
  let silent = false
  let gate: { came: () => void; opened: Promise<void> } | null = null
  let held: Held | null = null
  let port = 0
  let server: SMTPServer | null = null

  const start = async () => {
    const made = new SMTPServer({
      ...{ authOptional: true, disabledCommands: ['STARTTLS'], logger: false },
      onConnect(_session, done) {
        if (gate === null) return done()
        gate.came()
        void gate.opened.then(() => done())
      },
      onRcptTo(_address, _session, done) {
        if (refusal === null) return done()
        done(Object.assign(new Error('no such mailbox here'), { responseCode: refusal }))
      },
      onData(stream, session, done) {
        const take = async (raw: string) => {
          const to = session.envelope.rcptTo.map(({ address }) => address).join()
          const mail = { to, raw, messageId: /^Message-ID: (.*)$/im.exec(raw)?.[1]?.trim() ?? '' }
          mails.push(mail)
          if (held?.isMeant(mail)) {
            const { taken, answered } = held
            held = null
            taken(mail)
            await answered
          }
          if (!silent) return done()
          silent = false
          for (const connection of (made as unknown as { connections: Set<{ close(): void }> }).connections)
            connection.close()
        }
        // Cut off in the middle it is no message.
        text(stream).then(take, () => {})
      },
    })
    made.on('error', () => {}) // a client that went away
    made.listen(port, '127.0.0.1')
    await once(made.server, 'listening')
    port = (made.server.address() as AddressInfo).port
    server = made
  }
  await start()
  const settings = readMailSettings(
    `smtp://127.0.0.1:${port}`,
    'Careloop <careloop@clinic.example>',
    'https://careloop.clinic.example',
  )
  if ('wrong' in settings) throw new Error(settings.says)
  return {
    ...{ mails, settings },
    holdAtTheDoor() {
      const [came, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      gate = { came: came.resolve, opened: opened.promise }
      return {
        came: came.promise,
        letIn() {
          gate = null
          opened.resolve()
        },
      }
    },
    refuse(code) {
      refusal = code
    },
    fallSilentOnce() {
      silent = true
    },
    holdAnswer(isMeant = () => true) {
      const [taken, answered] = [Promise.withResolvers<Mail>(), Promise.withResolvers<void>()]
      const mine: Held = { isMeant, taken: taken.resolve, answered: answered.promise }
      held = mine
      return {
        taken: taken.promise,
        answer() {
          if (held === mine) held = null
          answered.resolve()
        },
      }
    },
    async shut() {
      const closing = server
      server = null
      if (closing !== null) await new Promise<void>((closed) => closing.close(() => closed()))
    },
    open: start,
  }
}
