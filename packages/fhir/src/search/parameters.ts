/** The search parameters of a type as searches use them, made of the definitions; US Core adds a few. */
import { generated } from '../definitions/generated.ts'
import { type SearchParameterRule, searchParametersOf, usesOf } from '../definitions/index.ts'
import type { ParameterType, SearchParameter } from './search.ts'

/** By US Core's names; R4's own definitions do not have them. Source: hl7.org/fhir/us/core, SearchParameter us-core-*. */
const usCore: Readonly<Record<string, readonly SearchParameter[]>> = {
  Patient: ['race', 'ethnicity'].map((code) => ({
    code,
    type: 'token',
    expression: `Patient.extension.where(url='http://hl7.org/fhir/us/core/StructureDefinition/us-core-${code}').extension.value.ofType(Coding)`,
  })),
  CareTeam: [{ code: 'role', type: 'token', expression: 'CareTeam.participant.role' }],
  Encounter: [
    { code: 'discharge-disposition', type: 'token', expression: 'Encounter.hospitalization.dischargeDisposition' },
  ],
  Goal: [{ code: 'description', type: 'token', expression: 'Goal.description' }],
}

const orderable: ReadonlySet<string> = new Set([
  ...['number', 'date', 'string', 'token', 'reference', 'quantity', 'composite', 'uri'],
])
const known = new Map<string, ReadonlyMap<string, SearchParameter>>()

/** Every search parameter of a type, by its code; `near` and the texts (`_text`, `_content`) are not among them. */
export function parametersOf(type: string): ReadonlyMap<string, SearchParameter> {
  const found = known.get(type) ?? made(type)
  known.set(type, found)
  return found
}

function made(type: string): ReadonlyMap<string, SearchParameter> {
  const rules = searchParametersOf(type).filter((rule) => orderable.has(rule.type) && rule.expression !== '')
  const all = [...rules.map((rule) => parameterOf(type, rule)), ...(usCore[type] ?? [])]
  return new Map(all.map((parameter) => [parameter.code, parameter]))
}

function parameterOf(type: string, rule: SearchParameterRule): SearchParameter {
  const expression = ofType(type, rule.expression)
  const system = rule.type === 'token' ? systemOf(type, expression) : undefined
  return {
    ...{ code: rule.code, type: rule.type as ParameterType, expression },
    ...(rule.target === undefined ? {} : { targets: targetsOf(type, rule, expression) }),
    ...(system === undefined ? {} : { system }),
    ...(rule.parts === undefined
      ? {}
      : { components: rule.parts.map((part) => ({ ...part, type: part.type as ParameterType })) }),
  }
}

/** The definitions join the paths of all types. */
const ofType = (type: string, expression: string): string =>
  expression
    .split(' | ')
    .filter((path) => new RegExp(`^\\(?(${type}|Resource|DomainResource)([.)]|$)`).test(path.trim()))
    .join(' | ')

/** `patient` of several types lists one target although it filters by it; a filter says it better. */
function targetsOf(type: string, rule: SearchParameterRule, expression: string): readonly string[] {
  const filtered = /resolve\(\) is (\w+)/.exec(expression)?.[1]
  if (filtered !== undefined) return [filtered]
  return rule.code === 'patient' && type !== 'Group' ? ['Patient'] : (rule.target ?? [])
}

/** What a `code` without a system is bound to: `gender=http://hl7.org/fhir/administrative-gender|female`. */
function systemOf(type: string, expression: string): string | undefined {
  const path = /^\w+\.(\w+)$/.exec(expression)?.[1]
  const use = path === undefined ? undefined : usesOf(type).get(path)
  if (use === undefined || use.type.code !== 'code') return undefined
  const url = use.element.valueSet?.split('|')[0]
  const systems = Object.keys((url === undefined ? undefined : generated('value-sets')[url]) ?? {})
  return systems.length === 1 ? systems[0] : undefined
}
