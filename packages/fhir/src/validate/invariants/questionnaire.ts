/** Rules of Questionnaire, as closures: FHIRPath would take a millisecond an item, and forms have thousands. */
import { has, type Loose, list, loose } from '../invariant.ts'
import type { Closure } from './datatypes.ts'

const WITH_LENGTH = of('boolean', 'decimal', 'integer', 'string', 'text', 'url', 'open-choice')
const WITH_OPTIONS = of('choice', 'open-choice', 'decimal', 'integer', 'date', 'dateTime', 'time', 'string', 'quantity')

export const questionnaireClosures: Readonly<Record<string, Closure>> = {
  'que-0': isComputerName,
  'pdf-0': isComputerName,
  'que-1': (it) => (it.type !== 'group' || has(it, 'item')) && (it.type !== 'display' || !has(it, 'item')),
  'que-2': hasDistinctLinks,
  'que-3': (it) => it.type !== 'display' || !has(it, 'code'),
  'que-4': (it) => !has(it, 'answerOption') || !has(it, 'answerValueSet'),
  'que-5': (it) =>
    !has(it, 'type') || WITH_OPTIONS.has(it.type) || (!has(it, 'answerValueSet') && !has(it, 'answerOption')),
  'que-6': (it) => it.type !== 'display' || (!has(it, 'required') && !has(it, 'repeats')),
  // `answer is Boolean` names the type of FHIRPath, not of FHIR: to the letter no answer would ever do. R5 corrected it.
  'que-7': (it) => it.operator !== 'exists' || has(it, 'answerBoolean'),
  'que-8': (it) => (it.type !== 'group' && it.type !== 'display') || !has(it, 'initial'),
  'que-9': (it) => it.type !== 'display' || !has(it, 'readOnly'),
  'que-10': (it) => !has(it, 'type') || WITH_LENGTH.has(it.type) || !has(it, 'maxLength'),
  'que-11': (it) => !has(it, 'answerOption') || !has(it, 'initial'),
  'que-12': (it) => list(it.enableWhen).length <= 2 || has(it, 'enableBehavior'),
  'que-13': (it) => it.repeats === true || list(it.initial).length <= 1,
}

function of(...types: readonly string[]): ReadonlySet<unknown> {
  return new Set<unknown>(types)
}

/** A name that programs can use. */
function isComputerName(it: Loose): boolean {
  return typeof it.name !== 'string' || /^[A-Z][A-Za-z0-9_]{0,254}$/.test(it.name)
}

function hasDistinctLinks(it: Loose): boolean {
  const links = linksOf(it)
  return new Set(links).size === links.length
}

function linksOf(it: Loose): readonly unknown[] {
  return list(it.item).flatMap((item) => {
    const { linkId } = loose(item)
    return [...(linkId === undefined ? [] : [linkId]), ...linksOf(loose(item))]
  })
}
