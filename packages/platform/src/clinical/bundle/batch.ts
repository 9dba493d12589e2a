/** A batch: each entry by itself, whatever becomes of the others. */
import type { FhirTree } from '@careloop/fhir'
import { refusalOf } from '../rest/failure-outcome.ts'
import type { FhirRoom } from '../rest/fhir-room.ts'
import { perform } from '../rest/perform.ts'
import type { FhirAnswer, FhirRequest } from '../rest/request.ts'
import { type BundleEntry, entriesOf } from './entry.ts'
import { answerEntry, bundleOf, refusedEntry, type Wanted } from './response.ts'

/** Entries at a time: writes of one batch then share transactions. */
const width = 32

export async function performBatch(room: FhirRoom, request: FhirRequest, wanted: Wanted): Promise<FhirAnswer> {
  const entries = entriesOf(request.tree!, request.base)
  const answers: FhirTree['entry'][] = []
  const left = entries.entries()
  const work = async () => {
    for (const [at, entry] of left) answers[at] = await performEntry(room, request, entry, wanted)
  }
  await Promise.all(Array.from({ length: width }, work))
  return { status: 200, body: { tree: bundleOf('batch-response', answers) } }
}

async function performEntry(
  room: FhirRoom,
  { by, base, isStrict }: FhirRequest,
  entry: BundleEntry,
  wanted: Wanted,
): Promise<FhirTree['entry']> {
  try {
    return answerEntry(await perform(room, { ...entry, by, base, isStrict }), wanted)
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal !== null) return refusedEntry(refusal)
    room.ground.engine.watch.log.error({ err: error, requestId: by.requestId }, 'an entry of a batch failed')
    return refusedEntry({ status: 500, outcome: broken(by.requestId) })
  }
}

const broken = (requestId = ''): FhirTree => ({
  resourceType: 'OperationOutcome',
  issue: [
    { severity: 'fatal', code: 'exception', diagnostics: `Something broke on our side. Report request ${requestId}.` },
  ],
})
