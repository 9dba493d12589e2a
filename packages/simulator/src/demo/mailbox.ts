/** Where the demo's mail goes: a receiver of this process on the loopback, so that a notification is seen and nothing leaves. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export interface Mail {
  readonly to: readonly string[]
  readonly subject: string
}

export interface Mailbox {
  /** For `CARELOOP_SMTP_URL`. */
  readonly url: string
  close(): Promise<void>
}

/** @param received each mail as it was accepted */
export async function openMailbox(received: (mail: Mail) => void): Promise<Mailbox> {
  const server = new SMTPServer({
    ...{ authOptional: true, disabledCommands: ['STARTTLS', 'AUTH'], disableReverseLookup: true },
    onData(stream, { envelope }, done) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => void parts.push(part))
      stream.on('error', done)
      stream.on('end', () => {
        received({ to: envelope.rcptTo.map(({ address }) => address), subject: subjectOf(Buffer.concat(parts)) })
        done()
      })
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return {
    url: `smtp://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** The subject as the sender wrote it: lines unfolded (RFC 5322), encoded words in UTF-8 read (RFC 2047). */
export function subjectOf(mail: Uint8Array): string {
  const head = Buffer.from(mail)
    .toString('utf8')
    .split(/\r?\n\r?\n/, 1)[0]!
  const line = /^subject:[ \t]*(.*)$/im.exec(head.replace(/\r?\n[ \t]+/g, ' '))?.[1] ?? ''
  // The space between two encoded words is none of the text.
  return line
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, how: string, text: string) =>
      how.toLowerCase() === 'b' ? Buffer.from(text, 'base64').toString('utf8') : quoted(text),
    )
}

const quoted = (text: string): string =>
  Buffer.from(
    text
      .replaceAll('_', ' ')
      .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8')
