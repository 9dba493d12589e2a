/** `careloop doctor`: looks at what usually goes wrong and says how to mend it. Exit code 1 when something must be mended. */
import { statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Config } from '../config.ts'
import type { Command } from '../main.ts'
import { arePagesBuilt, plainHttpNotices, proxyNotices } from '../platform.ts'
import { findRunning } from '../running.ts'
import { backupFindings } from './doctor-backup.ts'
import { databaseFindings } from './doctor-database.ts'
import { masterKeyFindings } from './doctor-keys.ts'
import { mailFindings } from './doctor-mail.ts'
import { securityFindings } from './doctor-security.ts'
import { serverCertificateFindings } from './doctor-tls.ts'

export interface Finding {
  readonly state: 'good' | 'look' | 'bad'
  readonly what: string
  /** What to do; absent when all is well. */
  readonly mend?: string
}

const MARK = { good: 'ok  ', look: 'look', bad: 'BAD ' } as const

export const doctorCommand: Command = async (config, _words, { security }) => {
  const findings = [
    nodeFinding(),
    pagesFinding(),
    ...[...plainHttpNotices(config), ...proxyNotices(config)].map((what): Finding => ({ state: 'look', what })),
    ...(await portFindings(config)),
    ...(await serverCertificateFindings(config)),
    diskFinding(config),
    ...(await masterKeyFindings(config)),
    ...(await databaseFindings(config)),
    ...(await backupFindings(config, Date.now())),
    ...(await mailFindings(config)),
    ...(security === true ? await securityFindings(config) : []),
  ]
  for (const { state, what, mend } of findings) console.log(`${MARK[state]}  ${what}${mend ? `\n      ${mend}` : ''}`)
  const bad = findings.filter((finding) => finding.state === 'bad').length
  console.log(bad === 0 ? '\nNothing must be mended.' : `\n${bad} to mend.`)
  if (bad > 0) process.exitCode = 1
}

function nodeFinding(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  return major >= 24
    ? { state: 'good', what: `Node ${process.version}` }
    : {
        state: 'bad',
        what: `Node ${process.version}`,
        mend: 'Careloop runs on Node 24. Start it by npm (`npm start`), which brings it.',
      }
}

export function pagesFinding(isBuilt = arePagesBuilt()): Finding {
  return isBuilt
    ? { state: 'good', what: 'the pages are built' }
    : {
        state: 'bad',
        what: 'the pages are not built, so none are served',
        mend: 'Start it by npm (`npm start`), which builds them. Or: npx node scripts/build-web.ts',
      }
}

async function portFindings(config: Config): Promise<Finding[]> {
  const running = findRunning(config.dataDir)
  const wanted = [
    ['pages', config.http, 'CARELOOP_HTTP_PORT'],
    ['MQTT', config.mqtt, 'CARELOOP_MQTT_PORT'],
    ['MQTT over TLS', config.mqtts, 'CARELOOP_MQTTS_PORT'],
  ] as const
  const findings: Finding[] = []
  for (const [what, listen, variable] of wanted) {
    if (!listen || listen.port === 0) continue
    const taken = await whyTaken(listen.host, listen.port)
    if (taken === null) findings.push({ state: 'good', what: `port ${listen.port} (${what}) is free` })
    else if (running && taken === 'EADDRINUSE')
      findings.push({
        state: 'good',
        what: `port ${listen.port} (${what}) is in use; Careloop runs here (process ${running.pid})`,
      })
    else if (taken !== 'EADDRINUSE')
      findings.push({
        state: 'bad',
        what: `port ${listen.port} (${what}) on ${listen.host} cannot be had: ${taken}${taken === 'EACCES' ? ', the system does not let this user have it' : ''}`,
        mend: `Name another port in ${variable} (from 1024 on), or another address in ${variable.replace('PORT', 'HOST')}.`,
      })
    else if (config.databaseUrl)
      findings.push({
        state: 'look',
        what: `port ${listen.port} (${what}) is in use`,
        mend: `Careloop itself, if it runs here; else stop that program, or name another port in ${variable}.`,
      })
    else
      findings.push({
        state: 'bad',
        what: `port ${listen.port} (${what}) is taken by another program`,
        mend: `Stop that program, or name another port in ${variable}.`,
      })
  }
  return findings
}

/** @returns the system's code, null when the port is free */
export function whyTaken(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    probe.listen(port, host, () => probe.close(() => resolve(null)))
  })
}

const GIB = 1024 ** 3

function diskFinding(config: Config): Finding {
  try {
    const { bavail, bsize, blocks } = statfsSync(config.dataDir)
    const free = bavail * bsize
    const floor = config.diskFloorBytes ?? Math.max(2 * GIB, 0.05 * blocks * bsize)
    const what = `disk of ${config.dataDir}: ${(free / GIB).toFixed(1)} GiB free, new readings are refused below ${(floor / GIB).toFixed(1)} GiB`
    if (free < floor)
      return {
        state: 'bad',
        what,
        mend: 'Free space, or move the data directory (CARELOOP_DATA). The file "ballast" in it may go: 256 MB.',
      }
    return free < floor * 2 ? { state: 'look', what, mend: 'Plan more space.' } : { state: 'good', what }
  } catch {
    return { state: 'good', what: `${config.dataDir} is not there yet; the first start makes it` }
  }
}
