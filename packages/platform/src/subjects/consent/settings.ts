/** What an organisation says of itself: whether it holds records under 42 CFR Part 2, and which programs are its own. */
import type { ConsentSettings } from '@careloop/contract'
import type { Engine, RowReader, TenantTx } from '../../engine/index.ts'
import { audited, type By } from '../by.ts'
import type { SubjectsTables } from '../schema.ts'

export interface ConsentSetting {
  readonly holdsPart2: boolean
  readonly ownServices: readonly string[]
}

/** Until somebody says otherwise every service token is of somebody outside, and gets nothing without a consent. */
export const readSetting = (tx: TenantTx): Promise<ConsentSetting> => tx.readOne(settingForAll, null)

/** Every look of a service at a patient asks for the same: it is read once for all who share a reading. */
const settingForAll: RowReader<null, ConsentSetting> = async (tx, asked) => {
  const { rows } = await tx.client.query<{ holds_part2: boolean; own_services: string[] }>({
    name: 'careloop-consent-setting',
    text: 'select holds_part2, own_services from tenant.consent_setting where tenant_id = $1',
    values: [tx.tenant],
  })
  const [row] = rows
  const setting = { holdsPart2: row?.holds_part2 ?? false, ownServices: row?.own_services ?? [] }
  return asked.map(() => setting)
}

export const readSettings = (engine: Engine, by: By): Promise<ConsentSettings> =>
  engine.db.asTenant(by.tenant, async (tx) => {
    const { holdsPart2, ownServices } = await readSetting(tx)
    await audited(tx, by, 'read', 'consent-setting', {})
    return { holdsPart2, ownServices: [...ownServices] }
  })

export const changeSettings = (engine: Engine, by: By, wanted: ConsentSettings): Promise<ConsentSettings> =>
  engine.db.asTenant(by.tenant, async (tx) => {
    const before = new Set((await readSetting(tx)).ownServices)
    const columns = {
      ...{ holds_part2: wanted.holdsPart2, own_services: [...new Set(wanted.ownServices)] },
      changed_at: engine.clock.now(),
    }
    await tx
      .tables<SubjectsTables>()
      .insertInto('consent_setting')
      .values(columns)
      .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet(columns))
      .execute()
    await audited(tx, by, 'update', 'consent-setting', {})
    // What is no longer our own sees at once no more than was consented to.
    const moved = [...before].filter((id) => !columns.own_services.includes(id))
    moved.push(...columns.own_services.filter((id) => !before.has(id)))
    for (const user of moved) await tx.publish({ type: 'SightChanged', user })
    return { holdsPart2: wanted.holdsPart2, ownServices: [...columns.own_services] }
  })
