import { expect, test } from 'vitest'
import { readConfig } from '../config.ts'
import { securityFindings, settingFindings } from './doctor-security.ts'

const open = {
  CARELOOP_HTTP_HOST: '0.0.0.0',
  CARELOOP_MQTT_HOST: '0.0.0.0',
  CARELOOP_MASTER_KEY_FILE: '/keys/master.key',
}
const states = (env: Record<string, string>) =>
  settingFindings(readConfig({ ...open, ...env })).map(({ state }) => state)

test('doctor --security > shows what production would refuse, to be looked at in an evaluation and to be mended in production', () => {
  expect(states({})).toEqual(['look', 'look', 'look', 'look', 'look'])
  expect(states({ CARELOOP_MODE: 'production' })).toEqual(['bad', 'bad', 'bad', 'bad', 'bad'])
})

test('doctor --security > what was waived stays in sight', () => {
  const env = { CARELOOP_MODE: 'production', CARELOOP_WAIVE: 'embedded-database,plain-mqtt,no-backup,no-audit-sink' }
  const findings = settingFindings(readConfig({ ...open, ...env }))
  expect(findings.map(({ state }) => state)).toEqual(['bad', 'look', 'look', 'look', 'look'])
  expect(findings.slice(1).every(({ what }) => what.startsWith('waived'))).toBe(true)
})

test('doctor --security > a certificate of the pages that cannot be used is told', async () => {
  const tls = { CARELOOP_TLS_CERT_FILE: '/nowhere/a.crt', CARELOOP_TLS_KEY_FILE: '/nowhere/a.key' }
  const findings = await securityFindings(readConfig({ ...tls, CARELOOP_DATA: '/nowhere/data' }))
  expect(findings).toContainEqual(
    expect.objectContaining({ state: 'bad', what: expect.stringContaining('cannot be served') }),
  )
})
