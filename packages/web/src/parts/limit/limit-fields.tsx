/** Fields for the limits of a rule: number and unit each, with what is wrong beside the field. */
import { NativeSelect, TextInput } from '@mantine/core'
import { refusalAt } from '../refusal.tsx'
import { inOwnUnit, type LimitDraft, overlapsOf, problemOf, unitsFor } from './limit-draft.ts'
import classes from './limit-fields.module.css'

const comparatorWords = { '>': 'above', '>=': 'at or above', '<': 'below', '<=': 'at or below' } as const

interface LimitFieldsProps {
  readonly drafts: readonly LimitDraft[]
  readonly onChange: (drafts: readonly LimitDraft[]) => void
  /** Shows what is wrong: after the first attempt to save. */
  readonly isChecked: boolean
  readonly error: Error | null
  /** What stands beside a limit: what the program says. */
  readonly hint?: (draft: LimitDraft) => string | undefined
}

export function LimitFields({ drafts, onChange, isChecked, error, hint }: LimitFieldsProps) {
  const overlaps = overlapsOf(drafts)
  const change = (place: number, more: Partial<LimitDraft>) =>
    onChange(drafts.map((each, index) => (index === place ? { ...each, ...more } : each)))
  return drafts.map((draft, place) => {
    const { of } = draft
    const words = `${of.label} ${of.role === 'clear' ? 'clears' : 'raises'} ${comparatorWords[of.comparator]}`
    const wrong = problemOf(draft) ?? overlaps.get(place)
    const description = [hint?.(draft), inOwnUnit(draft)].filter((each) => each !== undefined).join('; ')
    return (
      <div key={`${of.part}/${of.index}`} className={classes.pair}>
        <TextInput
          label={words}
          description={description === '' ? undefined : description}
          inputMode="decimal"
          value={draft.text}
          onChange={(event) => change(place, { text: event.currentTarget.value })}
          error={(isChecked || overlaps.has(place) ? wrong : undefined) ?? refusalOf(error, place)}
        />
        <NativeSelect
          aria-label={`Unit of ${words}`}
          value={draft.unit}
          data={unitsFor(of.signal)}
          onChange={(event) => change(place, { unit: event.currentTarget.value })}
        />
      </div>
    )
  })
}

const refusalOf = (error: Error | null, place: number): string | undefined =>
  refusalAt(error, `/body/limits/${place}`) ??
  refusalAt(error, `/body/limits/${place}/limit`) ??
  refusalAt(error, `/body/limits/${place}/unit`)

/** Pointers that the fields show. */
export const limitPointers = (drafts: readonly LimitDraft[]): string[] =>
  drafts.flatMap((_, place) => [`/body/limits/${place}`, `/body/limits/${place}/limit`, `/body/limits/${place}/unit`])

/** Whether all may be sent. */
export const areSound = (drafts: readonly LimitDraft[]): boolean =>
  drafts.every((draft) => problemOf(draft) === undefined) && overlapsOf(drafts).size === 0
