import type { Engine } from '../../engine/index.ts'
import { Evaluation, type EvaluationParts } from '../evaluation.ts'

/** Evaluates all that the log holds with a fresh holder of the lease, in place of the stage. */
export async function evaluateAll(engine: Engine, subjects: EvaluationParts['subjects']): Promise<void> {
  const lease = await engine.leases.acquire('alerting:0', 30_000)
  if (lease === null) throw new Error('somebody holds the lease')
  const evaluation = new Evaluation({ engine, subjects, partition: 0, lease })
  try {
    await evaluation.open()
    while (await evaluation.advance()) {}
    await evaluation.close()
  } finally {
    await lease.release()
  }
}
