/**
 * What must be looked at although nobody does anything: limits of single subjects that expire, and rules whose owner or backup
 * reaches nobody any more. One process at a time.
 */
import type { OwnedRule } from '@careloop/rules'
import type { Engine, Stage, TenantTx } from '../engine/index.ts'
import type { Subjects } from '../subjects/index.ts'
import { alertingMetrics } from './alerting-metrics.ts'
import { type Members, peopleWith, type Staff } from './members.ts'
import { endExpired } from './overrides.ts'
import type { AlertingTables } from './schema.ts'

export interface UpkeepParts {
  readonly members: Members
  readonly subjects: Pick<Subjects, 'enrolmentsAt'>
}

const expireEveryMs = 30_000
/** Nightly would do; a rule that reaches nobody must not wait for the night. */
const reachEveryMs = 3_600_000
const leaseMs = 20_000

export const alertingUpkeepStage = (parts: UpkeepParts): Stage => ({
  name: 'alerting-upkeep',
  async start(engine) {
    const stopping = new AbortController()
    let running: Promise<void> | undefined
    let reachedAt = Number.NEGATIVE_INFINITY
    // Asked for while the one before still looks: what fell due meanwhile it may have passed over.
    let again = false
    const look = () => {
      again = running !== undefined
      running ??= lookAfter(engine, parts, reachedAt)
        .then((at) => {
          reachedAt = at
        })
        .catch((err) => engine.watch.log.warn({ err }, 'rules and limits could not be looked after; trying again'))
        .finally(() => {
          running = undefined
          if (again && !stopping.signal.aborted) look()
        })
    }
    const stop = engine.clock.every(expireEveryMs, () => {
      if (!stopping.signal.aborted) look()
    })
    look()
    return async () => {
      stopping.abort()
      stop()
      await running
    }
  },
})

/** @returns when reach was looked at last */
async function lookAfter(engine: Engine, parts: UpkeepParts, reachedAt: number): Promise<number> {
  const lease = await engine.leases.acquire('alerting-upkeep', leaseMs)
  if (lease === null) return reachedAt
  try {
    for (const tenant of await engine.db.tenants()) await endExpired(engine, tenant)
    const now = engine.clock.now()
    if (now - reachedAt < reachEveryMs) return reachedAt
    await checkReach(engine, parts)
    return now
  } finally {
    await lease.release().catch(() => {})
  }
}

/** Looks at every active rule and open enrolment; what reaches nobody is counted, logged, marked, and told once. */
export async function checkReach(engine: Engine, { members, subjects }: UpkeepParts): Promise<void> {
  const { unreachableRules, ownerlessEnrolments } = alertingMetrics(engine.watch.metrics)
  let unreachable = 0
  let ownerless = 0
  for (const tenant of await engine.db.tenants()) {
    const staff = await members(tenant)
    unreachable += await engine.db.asTenant(tenant, (tx) => markRules(engine, tx, staff))
    const working = new Set(staff.filter(({ endedAt }) => endedAt === null).map(({ id }) => id))
    const enrolments = await subjects.enrolmentsAt(tenant, engine.clock.now())
    const left = enrolments.filter(({ owner }) => !working.has(owner)).length
    if (left > 0)
      engine.watch.log.error({ tenant, enrolments: left }, 'the owner of open enrolments no longer works here')
    ownerless += left
  }
  unreachableRules.set(unreachable)
  ownerlessEnrolments.set(ownerless)
}

async function markRules(engine: Engine, tx: TenantTx, staff: Staff): Promise<number> {
  const tables = tx.tables<AlertingTables>()
  const rows = await tables
    .selectFrom('rule')
    .innerJoin('rule_version', (join) =>
      join
        .onRef('rule_version.rule_id', '=', 'rule.id')
        .onRef('rule_version.tenant_id', '=', 'rule.tenant_id')
        .onRef('rule_version.version', '=', 'rule.active_version'),
    )
    .select(['rule.id', 'rule.unreachable_since', 'rule_version.definition'])
    .execute()
  let unreachable = 0
  for (const { id, unreachable_since: since, definition } of rows) {
    const { owner, backup } = definition as OwnedRule
    const role = [owner, backup].find((each) => peopleWith(staff, each) === 0)
    if (role !== undefined) {
      unreachable++
      engine.watch.log.error({ tenant: tx.tenant, rule: id, role }, 'the alerts of this rule would reach nobody')
    }
    if ((role === undefined) === (since === null)) continue
    const mark = { unreachable_since: role === undefined ? null : engine.clock.now() }
    await tables.updateTable('rule').set(mark).where('id', '=', id).execute()
    if (role !== undefined) await tx.publish({ type: 'RuleUnreachable', rule: id, role })
  }
  return unreachable
}
