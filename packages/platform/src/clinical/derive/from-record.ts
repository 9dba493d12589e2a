/** Readings that came as an Observation: how the log says so, and how whoever follows it knows them again. */
import type { ReadingsLogged } from '@careloop/contract'

/** What stands in the place of a frame: which Observation it was, by its opaque id. */
export interface RecordFrame {
  readonly observation: string
  readonly version: number
}

export const frameOfRecord = (of: RecordFrame): ReadingsLogged['frame'] => ({
  format: 'form',
  bytes: Buffer.from(JSON.stringify(of)),
})

/** Such readings stand in the record already, in the words of whoever sent them: nothing is made of them. */
export function isFromRecord({ origin, frame }: Pick<ReadingsLogged, 'origin' | 'frame'>): boolean {
  if (origin !== 'ehr' || frame.format !== 'form') return false
  try {
    const said = JSON.parse(Buffer.from(frame.bytes).toString('utf8')) as Partial<RecordFrame> | null
    return typeof said?.observation === 'string'
  } catch {
    return false
  }
}
