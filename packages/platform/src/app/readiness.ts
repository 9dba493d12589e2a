/** What must hold before traffic is sent here. */
import type { Readiness } from '../api/index.ts'
import type { OpenEngine } from '../engine/index.ts'

export function readinessOf({ engine, disk }: OpenEngine): readonly Readiness[] {
  return [
    {
      name: 'database',
      check: () =>
        engine.db.pool.query('select 1').then(
          () => null,
          () => 'The database does not answer. See its log; Careloop goes on by itself when it is back.',
        ),
    },
    {
      name: 'disk',
      check: async () =>
        disk?.refusal()
          ? 'The disk is nearly full: new readings are refused. Free space or move the data directory.'
          : null,
    },
    {
      name: 'reading-log',
      check: async () =>
        engine.log.refusal() ? 'The reading log takes nothing now; devices are told to try again.' : null,
    },
  ]
}
