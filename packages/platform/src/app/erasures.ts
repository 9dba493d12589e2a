/** What stands behind erasing a person: which rooms forget, and where the ledger is kept outside the database. */
import { forgetAlerts } from '../alerting/index.ts'
import { forgetClinical, forgetExports, forgetNamed } from '../clinical/index.ts'
import { forgetWatch } from '../compliance/index.ts'
import type { Engine } from '../engine/index.ts'
import { forgetWearer } from '../fleet/index.ts'
import { forgetPersons } from '../identity/index.ts'
import { forgetFrames } from '../ingest/index.ts'
import { forgetSubscriptions } from '../integrations/index.ts'
import {
  assertNoneErased,
  type Erasures,
  type Forget,
  keepLedgerFile,
  makeErasures,
  readLedgerFile,
  reapplyErasures,
} from '../subjects/index.ts'
import { forgetReadings } from '../telemetry/index.ts'
import { forgetTasks } from '../workflow/index.ts'
import type { Config } from './config.ts'

/** Those that append to the reading log come last: an append holds the log's lock until the transaction ends. */
export const forgetsOf = (engine: Engine): readonly Forget[] => [
  forgetPersons(engine),
  forgetFrames,
  forgetReadings(engine),
  // By their own resources it is told what they are called.
  forgetNamed(engine),
  forgetClinical,
  forgetExports(engine),
  forgetSubscriptions,
  forgetTasks,
  forgetWatch,
  forgetAlerts(engine),
  forgetWearer(engine),
]

/** @param ledgerFile null: no copy outside the database is kept (tools, tests) */
export const openErasures = (engine: Engine, ledgerFile: string | null): Erasures =>
  makeErasures(engine, {
    forgets: forgetsOf(engine),
    keepLedger: async () => {
      if (ledgerFile !== null) await keepLedgerFile(engine, ledgerFile)
    },
  })

/**
 * Before any door, page or stage opens: who was erased stays erased, also in a database that was put back to before.
 * @param vouched erasures that the ledger in the backup store holds and that were just made here again
 * @returns what whoever starts it is told
 * @throws Failure `ledger-broken`
 */
export async function keepErased(
  engine: Engine,
  config: Pick<Config, 'erasureLedgerFile' | 'mode'>,
  vouched = 0,
): Promise<string[]> {
  const copy = await readLedgerFile(config.erasureLedgerFile)
  if (copy === null && config.mode === 'production') await assertNoneErased(engine, config.erasureLedgerFile, vouched)
  const again = await reapplyErasures(engine, forgetsOf(engine), copy === null ? [] : [copy])
  await keepLedgerFile(engine, config.erasureLedgerFile)
  if (again === 0) return []
  return [`${again} erased ${again === 1 ? 'record was' : 'records were'} in this database still, and erased again.`]
}
