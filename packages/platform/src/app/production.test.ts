import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Config, readConfig } from './config.ts'
import { DEMO_FILE } from './demo-data.ts'
import { assertProduction, productionRefusals, waiverNotices } from './production.ts'

let home: string
let good: Record<string, string>
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'careloop-production-'))
  mkdirSync(join(home, 'data'))
  mkdirSync(join(home, 'keys'))
  good = {
    CARELOOP_MODE: 'production',
    CARELOOP_DATA: join(home, 'data'),
    CARELOOP_MASTER_KEY_FILE: join(home, 'keys', 'master.key'),
    CARELOOP_BACKUP: join(home, 'backups'),
    CARELOOP_HTTP_HOST: '0.0.0.0',
    CARELOOP_TLS_CERT_FILE: join(home, 'keys', 'server.crt'),
    CARELOOP_TLS_KEY_FILE: join(home, 'keys', 'server.key'),
    CARELOOP_PUBLIC_ORIGIN: 'https://care.example.org',
    DATABASE_URL: 'postgres://careloop:secret@db.example.org/careloop?sslmode=verify-full',
    CARELOOP_AUDIT_SINK: 'syslog+tls://logs.example.org',
    CARELOOP_AUDIT_KEY_FILE: join(home, 'keys', 'audit.key'),
  }
})
afterAll(() => rmSync(home, { recursive: true }))

const config = (changes: Record<string, string | undefined> = {}): Config => readConfig({ ...good, ...changes })
const refused = (changes: Record<string, string | undefined>) =>
  productionRefusals(config(changes)).map((each) => each.what)
const noTls = { CARELOOP_TLS_CERT_FILE: undefined, CARELOOP_TLS_KEY_FILE: undefined }

describe('production', () => {
  test('starts with TLS, a database that proves who it is, and the key elsewhere', () => {
    expect(refused({})).toEqual([])
    expect(() => assertProduction(config())).not.toThrow()
  })

  test.each<[what: string, changes: Record<string, string | undefined>, words: RegExp]>([
    ['plain HTTP beyond this machine', { ...noTls }, /without TLS/],
    [
      'pages said to be http:// behind a proxy',
      { ...noTls, CARELOOP_HTTP_HOST: '127.0.0.1', CARELOOP_PUBLIC_ORIGIN: 'http://care.example.org' },
      /no TLS proxy/,
    ],
    ['a TLS proxy that is not named', { ...noTls, CARELOOP_HTTP_HOST: '127.0.0.1' }, /no TLS proxy/],
    ['tokens of devices in the clear', { CARELOOP_MQTT_HOST: '0.0.0.0' }, /tokens without TLS/],
    ['no backup', { CARELOOP_BACKUP: undefined }, /erasure ledger is kept nowhere/],
    ['the embedded database', { DATABASE_URL: undefined }, /embedded database/],
    ['a trail whose checkpoints stay here', { CARELOOP_AUDIT_SINK: undefined }, /nowhere but to this machine/],
    ['a trail that a folder keeps', { CARELOOP_AUDIT_SINK: 'file:///mnt/audit' }, /nowhere but to this machine/],
    ['a database without TLS', { DATABASE_URL: 'postgres://c:s@db.example.org/c' }, /proves who it is/],
    [
      'TLS to a database that anybody could be',
      { DATABASE_URL: 'postgres://c:s@db.example.org/c?sslmode=require' },
      /proves who it is/,
    ],
    [
      'mail in the clear',
      { CARELOOP_SMTP_URL: 'smtp://mail.example.org?tls=none', CARELOOP_MAIL_FROM: 'careloop@example.org' },
      /E-mails/,
    ],
  ])('refuses %s', (_, changes, words) => {
    expect(refused(changes)).toEqual([expect.stringMatching(words)])
    expect(() => assertProduction(config(changes))).toThrow(expect.objectContaining({ code: 'production-refused' }))
  })

  test('refuses a master key where backups go, by a link too; and an erasure ledger that a restore would take along', () => {
    const backups = join(home, 'backup-store')
    mkdirSync(backups)
    symlinkSync(backups, join(home, 'linked'))
    const CARELOOP_BACKUP = backups
    for (const folder of ['backup-store', 'linked']) {
      const CARELOOP_MASTER_KEY_FILE = join(home, folder, 'deep', 'master.key')
      expect(refused({ CARELOOP_BACKUP, CARELOOP_MASTER_KEY_FILE })).toEqual([
        expect.stringMatching(/where backups go/),
      ])
    }
    const ledger = { CARELOOP_ERASURE_LEDGER: join(home, 'data', 'erased') }
    expect(refused(ledger)).toEqual([expect.stringMatching(/erasure ledger lies in the data directory/)])
  })

  test('asks nothing of the master key file where a key management service keeps the key', () => {
    const vault = { CARELOOP_VAULT_ADDR: 'https://vault.example.org:8200', CARELOOP_VAULT_TOKEN_FILE: '/run/token' }
    const inside = { CARELOOP_MASTER_KEY_FILE: join(home, 'data', 'k'), CARELOOP_ERASURE_LEDGER: join(home, 'erased') }
    expect(refused({ ...vault, ...inside })).toEqual([])
    expect(config(vault).kms).toMatchObject({ address: 'https://vault.example.org:8200', key: 'careloop' })
    const plain = { ...vault, CARELOOP_VAULT_ADDR: 'http://vault.example.org:8200' }
    expect(() => config(plain)).toThrow(expect.objectContaining({ pointer: '/env/CARELOOP_VAULT_ADDR' }))
  })

  test('refuses a master key in the data directory, also by a link to it and before either is there', () => {
    const within = join(home, 'data', 'keys', 'master.key')
    expect(refused({ CARELOOP_MASTER_KEY_FILE: within })).toEqual([expect.stringContaining('its own key')])
    symlinkSync(join(home, 'data'), join(home, 'link'))
    expect(refused({ CARELOOP_MASTER_KEY_FILE: join(home, 'link', 'master.key') })).toHaveLength(1)
    writeFileSync(join(home, 'data', 'real.key'), '')
    symlinkSync(join(home, 'data', 'real.key'), join(home, 'keys', 'linked.key'))
    expect(refused({ CARELOOP_MASTER_KEY_FILE: join(home, 'keys', 'linked.key') })).toHaveLength(1)
    expect(refused({ CARELOOP_MASTER_KEY_FILE: join(home, 'data-of-keys', 'master.key') })).toEqual([])
  })

  test('refuses a key of the audit trail in the data directory', () => {
    const within = join(home, 'data', 'audit.key')
    expect(refused({ CARELOOP_AUDIT_KEY_FILE: within })).toEqual([expect.stringContaining('signs the audit trail')])
  })

  test("refuses the demo's data, and no word waives that", () => {
    const dataDir = join(home, 'demo')
    mkdirSync(dataDir)
    writeFileSync(join(dataDir, DEMO_FILE), '{}')
    const said = { CARELOOP_DATA: dataDir, DATABASE_URL: undefined, CARELOOP_WAIVE: 'embedded-database' }
    expect(() => assertProduction(config(said))).toThrow(/passwords are known/)
  })

  test('a local database over its socket or loopback needs no TLS', () => {
    expect(refused({ DATABASE_URL: 'postgres://c:s@127.0.0.1/c' })).toEqual([])
    expect(refused({ DATABASE_URL: 'postgres:///c?host=/run/postgresql' })).toEqual([])
  })

  test('what is waived by name starts, and is told at every start', () => {
    const said = { DATABASE_URL: undefined, CARELOOP_WAIVE: 'embedded-database' }
    expect(() => assertProduction(config(said))).not.toThrow()
    expect(waiverNotices(config(said))).toEqual([expect.stringMatching(/^Waived \(embedded-database\)/)])
    expect(() => config({ CARELOOP_WAIVE: 'everything' })).toThrow(
      expect.objectContaining({ code: 'config-invalid', pointer: '/env/CARELOOP_WAIVE' }),
    )
  })

  test('an evaluation starts with all of it, as the demo does', () => {
    expect(() =>
      assertProduction(config({ ...noTls, CARELOOP_MODE: undefined, DATABASE_URL: undefined })),
    ).not.toThrow()
  })

  test('says all that is wrong at once', () => {
    const changes = { ...noTls, DATABASE_URL: undefined, CARELOOP_MQTT_HOST: '0.0.0.0' }
    expect(() => assertProduction(config(changes))).toThrow(/without TLS[\s\S]*tokens without TLS[\s\S]*embedded/)
  })
})
