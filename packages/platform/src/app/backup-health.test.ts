import { expect, test } from 'vitest'
import type { BackupState } from '../engine/index.ts'
import { backupTroubles } from './backup-health.ts'
import { readConfig } from './config.ts'

const NOW = Date.UTC(2026, 10, 22, 12)
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000]
const never: BackupState = {
  ...{ baseId: null, baseAt: null, baseBytes: null, basePutBytes: null, wantedAt: null, walAt: null, ledgerAt: null },
  ...{ walLostAt: null, errorCode: null, errorSince: null, verifiedAt: null, verifiedBase: null, reportedAt: null },
  ...{ restoredAt: null, restoredBase: null, restoredUntil: null },
}
const well = { ...never, baseAt: NOW - HOUR, walAt: NOW - MINUTE, verifiedAt: NOW - DAY }
const own = readConfig({ CARELOOP_BACKUP: '/mnt/backup' })
const external = readConfig({ CARELOOP_BACKUP: '/mnt/backup', DATABASE_URL: 'postgres://a:b@c/d' })
const said = (config: typeof own, state: BackupState) => backupTroubles(config, state, NOW).map(({ what }) => what)

test.each<[name: string, config: typeof own, state: BackupState, words: readonly RegExp[]]>([
  ['all is well', own, well, []],
  ['nothing is set up', readConfig({}), never, [/no backup/]],
  ['nothing was ever done', own, never, [/no base copy/, /nothing was shipped/, /no backup was ever restored/]],
  ['the newest copy is older than two turns', own, { ...well, baseAt: NOW - 49 * HOUR }, [/2 days old/]],
  ['nothing was shipped for a while', own, { ...well, walAt: NOW - 6 * MINUTE }, [/nothing was shipped for 6 minutes/]],
  ['nobody made a drill', own, { ...well, verifiedAt: NOW - 101 * DAY }, [/the last drill was 101 days ago/]],
  [
    'the store refuses',
    own,
    { ...well, errorCode: 'object-store-refused', errorSince: NOW - HOUR },
    [/object-store-refused/],
  ],
  ['an external database is reported', external, { ...never, reportedAt: NOW - DAY }, []],
  ['an external database was not reported', external, { ...never, reportedAt: NOW - 31 * HOUR }, [/31 hours ago/]],
  ['an external database never was', external, never, [/was ever reported/]],
])('backup health > %s', (_, config, state, words) => {
  expect(said(config, state)).toEqual(words.map((each) => expect.stringMatching(each)))
})

test.each([
  ['CARELOOP_BACKUP', { CARELOOP_BACKUP: 'ftp://host/folder' }],
  ['CARELOOP_BACKUP', { CARELOOP_BACKUP: 's3://bucket/careloop' }],
  ['CARELOOP_BACKUP_SECONDS', { CARELOOP_BACKUP: '/mnt/backup', CARELOOP_BACKUP_SECONDS: '61' }],
  ['CARELOOP_BACKUP_DAYS', { CARELOOP_BACKUP: '/mnt/backup', CARELOOP_BACKUP_DAYS: '0' }],
])('config > what cannot be used of backups is refused by its variable: %s', (name, env) => {
  expect(() => readConfig(env)).toThrow(expect.objectContaining({ code: 'config-invalid', pointer: `/env/${name}` }))
})
