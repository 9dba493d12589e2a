/** Limits as people enter them, in a unit of their choice: brought into canonical units, checked, put into a rule's body. */
import { acceptedUnits, Failure, type LimitEdit, shownUnit, signal, toCanonical } from '@careloop/contract'
import { applyOverride, type Limit, type LimitChange, limitsOf, type RuleBody } from '@careloop/rules'
import { alertingFailure } from './errors.ts'

/**
 * @param pointer to the list of edits
 * @throws Failure `limit-invalid` with a pointer to the field at fault
 */
export function changesOf(body: RuleBody, edits: readonly LimitEdit[], pointer: string): LimitChange[] {
  return edits.map((edit, index) => changeOf(body, edit, `${pointer}/${index}`))
}

/**
 * The body with the changes, checked like a program.
 * @throws Failure `limit-invalid` with a pointer to the field at fault
 */
export function changedBody(body: RuleBody, changes: readonly LimitChange[], pointer: string): RuleBody {
  changes.forEach((change, index) => {
    assertReachable(body, change, `${pointer}/${index}/limit`)
  })
  try {
    return applyOverride(body, changes)
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'override-invalid') throw error
    throw invalid(error.message, error.pointer.replace(/^\/changes/, pointer))
  }
}

const invalid = (message: string, pointer: string) => alertingFailure('limit-invalid', message, { pointer })

const spanMs: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

function changeOf(body: RuleBody, { part, index, limit, unit }: LimitEdit, pointer: string): LimitChange {
  if (part === 'after') return { part, index, limit: spanOf(limit, unit, pointer) }
  if (part === 'count') return { part, index, limit }
  const code = part === 'by' ? (body.kind === 'rate' ? body.signal : undefined) : limitsOf(body)[part][index]?.signal
  if (code === undefined) throw invalid('The rule has no such limit. Read the rule again.', `${pointer}/index`)
  const converted = part === 'by' ? difference(code, limit, unit) : toCanonical(code, limit, unit)?.value
  if (typeof converted === 'number') return { part, index, limit: converted }
  const units = acceptedUnits(code).slice(0, 6).join(', ')
  throw invalid(`This is not a unit of ${signal(code)?.label ?? code}. Use one of ${units}.`, `${pointer}/unit`)
}

/** Of temperatures a difference is not a value: 1 °F apart is 0.56 °C apart. */
function difference(code: string, by: number, unit: string): number | undefined {
  const [at, zero] = [toCanonical(code, by, unit)?.value, toCanonical(code, 0, unit)?.value]
  return typeof at === 'number' && typeof zero === 'number' ? at - zero : undefined
}

function spanOf(limit: number, unit: string, pointer: string): number {
  const factor = spanMs[unit]
  if (factor === undefined) throw invalid('A span is given in s, min, h or d.', `${pointer}/unit`)
  return Math.round(limit * factor)
}

/** A limit at the far end of what its signal can be would never be met: that is switching the rule off without saying so. */
function assertReachable(body: RuleBody, { part, index, limit }: LimitChange, pointer: string): void {
  const before: Limit | undefined = part === 'when' ? limitsOf(body).when[index] : undefined
  const range = before === undefined ? undefined : signal(before.signal)?.plausible
  if (before === undefined || range === undefined) return
  const [lowest, highest] = range
  if (before.is.startsWith('>') ? limit < highest : limit > lowest) return
  const unit = shownUnit(signal(before.signal)?.unit ?? '')
  throw invalid(
    `No reading would ever meet this limit: it must lie between ${lowest} and ${highest} ${unit}. To switch a rule off, switch it off and say why.`,
    pointer,
  )
}
