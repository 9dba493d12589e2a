import { expect, test } from 'vitest'
import type { Mark } from './manifest.ts'
import { goesOn } from './wal-shipper.ts'

const MIB = 1024 ** 2
const mark: Mark = { session: 1, timeline: 1, lsn: '0/5000100', chain: '0/1000000', at: 0, ledger: 0 }
const where = { timeline: 1, wal_status: 'reserved', restart_lsn: '0/5000000', segment_bytes: 16 * MIB }

test.each([
  ['a server that was started again goes on', '0/5000200', '0/5000000', true],
  ['one that wrote nothing since goes on', '0/5000100', '0/5000000', true],
  ['a machine that was put back to before what was shipped begins anew', '0/4FFFF00', '0/4000000', false],
  ['also by a little', '0/50000FF', '0/5000000', false],
  ['a slot that holds too little begins anew', '0/7000000', '0/6000000', false],
])('backups > whether the log goes on from what was shipped: %s', (_, flush, restart_lsn, goes) => {
  expect(goesOn(mark, { ...where, flush, restart_lsn })).toBe(goes)
})
