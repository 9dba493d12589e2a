/**
 * What was signed stands in the sinks, also where database and key file were put back to a time before it. Their numbers are asked for
 * before anything is sealed: a number that is signed twice cannot be told from a forgery ever after.
 */
import { auditFailure } from '../errors.ts'
import type { AuditSink } from '../sinks/sink.ts'
import { linkOf, openCheckpoint, readCheckpoint } from './checkpoint.ts'
import type { SigningKey } from './signing-key.ts'

/**
 * @returns the batch up to which numbers are taken now because of this sink; undefined when nothing new was learned
 * @throws Failure `audit-key-foreign` when the newest there was signed by another key of this trail; what the sink throws
 */
export async function learnFromSink(key: SigningKey, sink: AuditSink): Promise<number | undefined> {
  if (sink.newest === undefined) return undefined
  const { signer, next, last, anew } = await key.read()
  const ofThisTrail = (await sink.newest()).filter((note) => readCheckpoint(note)?.origin === signer.name)
  const batch = readCheckpoint(ofThisTrail[0] ?? '')?.batch
  if (batch === undefined || batch <= (last?.batch ?? -1)) return undefined
  const keys = [signer, ...(next ? [next] : [])].map(({ verifierKey }) => verifierKey)
  const note = ofThisTrail.find((each) => keys.some((own) => openCheckpoint(each, own)))
  if (note === undefined && anew === undefined)
    throw auditFailure(
      'audit-key-foreign',
      `The audit sink ${sink.name} holds batch ${batch}, signed by another key of this trail. Put the newest audit key file here; if it is lost, take this one away and run: careloop audit begin-anew`,
    )
  const through = note === undefined ? undefined : readCheckpoint(note)
  const tree = through?.through === undefined ? {} : { tree: { ...through.through, size: through.size } }
  await key.resumeAfter({ batch, link: linkOf(note ?? ofThisTrail[0]!), ...tree })
  return batch
}
