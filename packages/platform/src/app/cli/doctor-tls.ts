import { connect } from 'node:tls'
import type { Config } from '../config.ts'
import type { Finding } from './doctor.ts'

const DAY_MS = 86_400_000

/** The certificate that the TLS door shows now; nothing when nobody answers there. A running server renews its own in time. */
export async function serverCertificateFindings(config: Pick<Config, 'mqtts'>, now = Date.now()): Promise<Finding[]> {
  if (!config.mqtts || config.mqtts.port === 0) return []
  const endsAt = await certificateEnd(config.mqtts)
  if (endsAt === null) return []
  const days = Math.floor((endsAt - now) / DAY_MS)
  const what = `the certificate of the MQTT door on port ${config.mqtts.port} ends in ${days} days`
  if (days >= 7) return [{ state: 'good', what }]
  return [{ state: days < 0 ? 'bad' : 'look', what, mend: 'Start the server anew: it makes a new one at every start.' }]
}

/** @returns ms since epoch, null when no TLS answers */
function certificateEnd({ host, port }: { host: string; port: number }): Promise<number | null> {
  return new Promise((resolve) => {
    const to = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
    // Only its dates are read and nothing is sent, so whom it names need not be proved.
    const socket = connect({ host: to, port, rejectUnauthorized: false, timeout: 3_000 })
    const end = (at: number | null) => {
      socket.destroy()
      resolve(at)
    }
    socket.once('secureConnect', () => end(socket.getPeerX509Certificate()?.validToDate.getTime() ?? null))
    socket.once('error', () => end(null))
    socket.once('timeout', () => end(null))
  })
}
