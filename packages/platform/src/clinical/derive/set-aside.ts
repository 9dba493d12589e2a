/** What of one person or message cannot be put into the record is told loudly and left out: it keeps back none that come after it. */
import { Failure } from '@careloop/contract'
import type { Engine, TenantTx } from '../../engine/index.ts'
import type { Clinical, Derived } from '../clinical.ts'
import { observationMetrics } from './observation-metrics.ts'

/** @param of opaque ids: of whom, of what */
export type SetAside = (err: unknown, of: Readonly<Record<string, string>>) => void

export const settingAside =
  (engine: Pick<Engine, 'watch'>): SetAside =>
  (err, of) => {
    observationMetrics(engine.watch.metrics).setAside.inc()
    engine.watch.log.error({ err, ...of }, 'this could not be put into the record as an Observation: it was set aside')
  }

/** Damaged bytes or a mistake of ours: the next try gives the same. A statement that failed has ended its transaction and is neither. */
export const staysSo = (error: unknown): boolean =>
  error instanceof Failure
    ? error.kind.disposition === 'bug'
    : error instanceof TypeError || error instanceof RangeError

/** All at once; when that fails for good, one by one. @returns those that are kept */
export async function keepWhatCan(
  clinical: Pick<Clinical, 'keepDerived'>,
  tx: TenantTx,
  derived: readonly Derived[],
  setAside: SetAside,
): Promise<readonly Derived[]> {
  try {
    await clinical.keepDerived(tx, derived, true)
    return derived
  } catch (error) {
    if (!staysSo(error)) throw error
  }
  const kept: Derived[] = []
  for (const one of derived)
    try {
      await clinical.keepDerived(tx, [one])
      kept.push(one)
    } catch (error) {
      if (!staysSo(error)) throw error
      const { resourceType: type, id = '' } = one.resource
      setAside(error, { tenant: tx.tenant, type, id, ...(one.subject === null ? {} : { subject: one.subject }) })
    }
  return kept
}
