/** A batch: each entry by itself, whatever becomes of the others. */
import type { FhirTree } from '@careloop/fhir'
import { refusalOf } from '../rest/failure-outcome.ts'
import type { FhirRoom } from '../rest/fhir-room.ts'
import { perform } from '../rest/perform.ts'
import type { FhirAnswer, FhirRequest } from '../rest/request.ts'
import { type BundleEntry, entriesOf, wrong } from './entry.ts'
import { answerEntry, bundleOf, refusedEntry, type Wanted } from './response.ts'

/** Entries at a time: writes of one batch then share transactions. */
const width = 32
/** Characters of one answer, beside those that are being read: beyond, nothing more is read. */
const maxHeld = 64 << 20

export async function performBatch(room: FhirRoom, request: FhirRequest, wanted: Wanted): Promise<FhirAnswer> {
  const entries = entriesOf(request.tree!, request.base)
  const answers: FhirTree['entry'][] = []
  const left = entries.entries()
  let held = 0
  const work = async () => {
    for (const [at, entry] of left) {
      const isTooMuch = held >= maxHeld && entry.method === 'GET'
      const answer = isTooMuch ? tooMuch(entry.at) : await performEntry(room, request, entry, wanted)
      answers[at] = answer.entry
      held += answer.size
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  return { status: 200, body: { tree: bundleOf('batch-response', answers) } }
}

async function performEntry(
  room: FhirRoom,
  { by, base, isStrict }: FhirRequest,
  entry: BundleEntry,
  wanted: Wanted,
): Promise<Answered> {
  try {
    const answer = await perform(room, { ...entry, by, base, isStrict })
    return { entry: answerEntry(answer, wanted), size: sizeOf(answer) }
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal !== null) return { entry: refusedEntry(refusal), size: 0 }
    room.ground.engine.watch.log.error({ err: error, requestId: by.requestId }, 'an entry of a batch failed')
    return { entry: refusedEntry({ status: 500, outcome: broken(by.requestId) }), size: 0 }
  }
}

interface Answered {
  readonly entry: FhirTree['entry']
  /** Characters, as they stand in the record. */
  readonly size: number
}

const sizeOf = ({ body }: FhirAnswer): number => {
  if (body === undefined) return 0
  return 'text' in body ? body.text.length : JSON.stringify(body.tree).length
}

const tooMuch = (at: number): Answered => {
  const refusal = refusalOf(wrong('The answer is too large already. Ask for this in another.', `Bundle.entry[${at}]`))!
  return { entry: refusedEntry(refusal), size: 0 }
}

const broken = (requestId = ''): FhirTree => ({
  resourceType: 'OperationOutcome',
  issue: [
    { severity: 'fatal', code: 'exception', diagnostics: `Something broke on our side. Report request ${requestId}.` },
  ],
})
