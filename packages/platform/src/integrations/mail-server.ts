/**
 * One conversation with the mail server at a time and place. It is opened, signed in and found alive before anybody asks whether
 * there is still something to tell: a server that hangs at its door has got nothing.
 */
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { MailSettings } from './mail-settings.ts'

/** What went wrong with the mail server, without addresses. */
export class MailTrouble extends Error {
  /** `refused`: it said no; `unreachable`: it was not there; `unknown`: it fell silent after it had the message. */
  readonly kind: 'refused' | 'unreachable' | 'unknown'
  /** It will say the same again: 5xx. */
  readonly isFinal: boolean

  constructor(kind: MailTrouble['kind'], says: string, isFinal = false) {
    super(says)
    this.name = 'MailTrouble'
    this.kind = kind
    this.isFinal = isFinal
  }
}

export interface MailSession {
  /** @throws MailTrouble */
  send(from: string, to: string, message: Buffer): Promise<void>
  /** Keeps the conversation for the next one. */
  release(): void
  close(): void
}

export interface MailServer {
  /** @throws MailTrouble */
  session(): Promise<MailSession>
  close(): void
}

/** The whole conversation has a deadline besides: `deliver-mail.ts`. */
const stepMs = 10_000
const silenceMs = 15_000

export function makeMailServer(settings: MailSettings): MailServer {
  /** From the first byte to the last, also those that are being opened. */
  const alive = new Set<SMTPConnection>()
  const idle = new Set<SMTPConnection>()
  let isClosed = false

  const takeIdle = async (): Promise<SMTPConnection | null> => {
    for (const connection of idle) {
      idle.delete(connection)
      if (!alive.has(connection)) continue
      const isAlive = await new Promise<boolean>((answer) => connection.reset((error) => answer(!error)))
      if (isAlive) return connection
      connection.close()
    }
    return null
  }
  return {
    async session() {
      if (isClosed) throw new MailTrouble('unreachable', 'stopping')
      const connection = (await takeIdle()) ?? (await connect(settings, alive))
      return {
        send: (from, to, message) => send(connection, from, to, message),
        release() {
          if (isClosed || !alive.has(connection)) connection.close()
          else idle.add(connection)
        },
        close: () => connection.close(),
      }
    },
    close() {
      isClosed = true
      for (const connection of [...alive]) connection.close()
      idle.clear()
    },
  }
}

/** Goes in and out again. @returns in words why it is not let in, or null */
export async function tryMailServer(settings: MailSettings): Promise<string | null> {
  try {
    const connection = await connect(settings, new Set())
    connection.quit()
    return null
  } catch (error) {
    if (error instanceof MailTrouble) return error.message
    throw error
  }
}

/** @param alive holds it from now until it ends */
function connect(settings: MailSettings, alive: Set<SMTPConnection>): Promise<SMTPConnection> {
  const connection = new SMTPConnection({
    ...{ host: settings.host, port: settings.port, secure: settings.tls === 'always' },
    ...(settings.tls === 'upgrade' ? { requireTLS: true } : {}),
    ...(settings.tls === 'none' ? { ignoreTLS: true } : {}),
    ...{ connectionTimeout: stepMs, greetingTimeout: stepMs, dnsTimeout: stepMs, socketTimeout: silenceMs },
    tls: { minVersion: 'TLSv1.2' },
  })
  alive.add(connection)
  return new Promise((opened, failed) => {
    // Both listen for as long as the connection lives: an 'error' that nobody hears ends the process.
    const fail = (error: SMTPConnection.SMTPError) => {
      alive.delete(connection)
      connection.close()
      failed(new MailTrouble('unreachable', inWords(error), (error.responseCode ?? 0) >= 500))
    }
    connection.on('error', fail)
    // It comes before the error that tells why.
    connection.on('end', () => setImmediate(() => fail(new Error('closed the connection'))))
    const answered = (next: () => void) => (error?: SMTPConnection.SMTPError | null) => (error ? fail(error) : next())
    const open = () => opened(connection)
    const { login } = settings
    connection.connect(answered(login === null ? open : () => connection.login(login, answered(open))))
  })
}

function send(connection: SMTPConnection, from: string, to: string, message: Buffer): Promise<void> {
  return new Promise((sent, failed) => {
    const lost = (error: SMTPConnection.SMTPError) => failed(new MailTrouble('unknown', inWords(error)))
    const ended = () => void setImmediate(() => lost(new Error('closed the connection')))
    connection.once('error', lost)
    connection.once('end', ended)
    connection.send({ from, to }, message, (error) => {
      connection.off('error', lost)
      connection.off('end', ended)
      if (!error) return sent()
      const { responseCode } = error
      // Without an answer nobody knows whether it took the message.
      if (responseCode === undefined) return lost(error)
      failed(new MailTrouble('refused', inWords(error), responseCode >= 500))
    })
  })
}

/** Codes and commands only: what a mail server says may hold an address. */
function inWords(error: SMTPConnection.SMTPError): string {
  const { responseCode, code, command } = error
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})/.exec(error.response ?? '')?.[1]
  const said = [responseCode, enhanced, responseCode === undefined ? code : undefined].filter(Boolean).join(' ')
  return `${said || 'no answer'}${command === undefined ? '' : ` at ${command}`}`
}
