/** The complete UCUM library, loaded when a unit is met that our own table does not know. */
import { createRequire } from 'node:module'
import type { Unit } from './unit.ts'

interface LibraryUnit {
  readonly name_: string
  readonly magnitude_: number
  readonly cnv_: string | null
  readonly moleExp_: number
  readonly isArbitrary_: boolean
  readonly dim_: { dimVec_: readonly number[] | null } | null
}

interface Library {
  readonly UcumLhcUtils: {
    getInstance(): {
      validateUnitString(code: string): { status: string; ucumCode: string | null }
      getSpecifiedUnit(code: string, valueType: string): { unit: LibraryUnit | null }
    }
  }
}

/** Order of the library's dimensions: length, time, mass, plane angle, temperature, charge, luminous intensity. */
const DIMENSIONS = ['m', 's', 'g', 'rad', 'K', 'C', 'cd']
const AVOGADRO = 6.0221367e23

let loaded: Library['UcumLhcUtils'] | undefined

/** A unit by the library, or null when it says that it is none, or that another spelling was meant. */
export function libraryUnit(code: string): Unit | null {
  loaded ??= (createRequire(import.meta.url)('@lhncbc/ucum-lhc') as Library).UcumLhcUtils
  const utils = loaded.getInstance()
  const { status, ucumCode } = utils.validateUnitString(code)
  if (status !== 'valid' || ucumCode !== code) return null
  const { unit } = utils.getSpecifiedUnit(code, 'validate')
  return unit === null ? null : converted(code, unit)
}

function converted(code: string, unit: LibraryUnit): Unit {
  const dimensions = unit.dim_?.dimVec_ ?? null
  // A logarithmic or arbitrary scale compares with itself only.
  if (unit.cnv_ !== null || unit.isArbitrary_ || dimensions === null) return { kind: code, factor: 1, offset: null }
  const powers = [
    ...dimensions.map((power, index) => [DIMENSIONS[index]!, power] as const),
    ['mol', unit.moleExp_] as const,
  ]
  return { kind: kindText(powers), factor: unit.magnitude_ / AVOGADRO ** unit.moleExp_, offset: 0 }
}

function kindText(powers: readonly (readonly [string, number])[]): string {
  const parts = powers.filter(([, power]) => power !== 0).sort(([a], [b]) => (a < b ? -1 : 1))
  return parts.length === 0 ? '1' : parts.map(([base, power]) => (power === 1 ? base : base + power)).join('.')
}
