/**
 * Units: UCUM codes and the spellings that devices use for them, by dimension. A spelling means something only within a
 * dimension: `g` is a gram on a scale and standard gravity in an accelerometer, `F` is never a farad here.
 * Source: UCUM 2.1, which says 133.322 Pa for a millimetre of mercury; NIST SP 811 appendix B for the other inexact factors.
 */

/** A unit of a dimension: value in base unit = value x factor + offset. */
export interface Unit {
  /** UCUM code, case sensitive. */
  readonly code: string
  readonly factor: number
  readonly offset?: number
  /** What devices and people write for it. The code itself is always understood. */
  readonly spellings?: readonly string[]
}

const PERCENT: readonly Unit[] = [
  { code: '%', factor: 1, spellings: ['percent', 'pct', '%RH', '%rh', '% RH', 'percentage', '%Hb', '%SpO2'] },
  { code: '1', factor: 100 },
]

/** Each dimension's units; the first one is the base. */
export const dimensions = {
  ratio: PERCENT,
  rate: [
    {
      code: '/min',
      factor: 1,
      spellings: ['bpm', 'BPM', '1/min', 'min-1', '/minute', 'per minute', 'beats/min', 'beats/minute', '{beats}/min'],
    },
    { code: '/s', factor: 60, spellings: ['1/s', 'Hz'] },
    { code: 'Hz', factor: 60 },
    { code: '{breaths}/min', factor: 1, spellings: ['breaths/min', 'breaths/minute', 'brpm', 'rpm'] },
  ],
  temperature: [
    { code: 'Cel', factor: 1, spellings: ['°C', 'C', 'degC', '℃', 'celsius', 'Celsius', 'deg C', '° C', 'c'] },
    {
      code: '[degF]',
      factor: 5 / 9,
      offset: -160 / 9,
      spellings: ['°F', 'F', 'degF', '℉', 'fahrenheit', 'Fahrenheit', 'deg F', '° F', 'f'],
    },
    { code: 'K', factor: 1, offset: -273.15, spellings: ['kelvin', 'Kelvin'] },
  ],
  bloodPressure: [
    { code: 'mm[Hg]', factor: 1, spellings: ['mmHg', 'mmhg', 'mm Hg', 'torr', 'Torr'] },
    { code: 'kPa', factor: 1000 / 133.322, spellings: ['kpa', 'KPa'] },
    { code: 'Pa', factor: 1 / 133.322 },
    { code: 'hPa', factor: 100 / 133.322, spellings: ['mbar'] },
    { code: 'cm[H2O]', factor: 98.0665 / 133.322, spellings: ['cmH2O'] },
  ],
  airPressure: [
    { code: 'hPa', factor: 1, spellings: ['mbar', 'hpa', 'millibar', 'mb'] },
    { code: 'Pa', factor: 0.01, spellings: ['pa'] },
    { code: 'kPa', factor: 10, spellings: ['kpa'] },
    { code: 'bar', factor: 1000 },
    { code: 'mm[Hg]', factor: 1.33322, spellings: ['mmHg'] },
    { code: "[in_i'Hg]", factor: 33.8638815789, spellings: ['inHg'] },
    { code: '[psi]', factor: 68.9475729318, spellings: ['psi'] },
  ],
  mass: [
    { code: 'kg', factor: 1, spellings: ['Kg', 'KG', 'kgs', 'kilogram', 'kilograms'] },
    { code: 'g', factor: 0.001, spellings: ['gram', 'grams'] },
    { code: '[lb_av]', factor: 0.45359237, spellings: ['lb', 'lbs', 'LB', 'LBS', 'pound', 'pounds'] },
    { code: '[oz_av]', factor: 0.028349523125, spellings: ['oz', 'ounce', 'ounces'] },
    { code: '[stone_av]', factor: 6.35029318, spellings: ['st', 'stone'] },
  ],
  length: [
    { code: 'm', factor: 1, spellings: ['metre', 'meter', 'metres', 'meters'] },
    { code: 'cm', factor: 0.01 },
    { code: 'mm', factor: 0.001 },
    { code: 'km', factor: 1000 },
    { code: '[in_i]', factor: 0.0254, spellings: ['in', 'inch', 'inches'] },
    { code: '[ft_i]', factor: 0.3048, spellings: ['ft', 'feet'] },
  ],
  /** Glucose only: a mole of it weighs 180.156 g. Other substances have other factors and must not come here. */
  glucose: [
    { code: 'mg/dL', factor: 1, spellings: ['mg/dl', 'mgdl', 'mgdL', 'MG/DL'] },
    { code: 'mmol/L', factor: 18.0156, spellings: ['mmol/l', 'mmol', 'mM'] },
    { code: 'g/L', factor: 100, spellings: ['g/l'] },
    { code: 'kg/L', factor: 100_000, spellings: ['kg/l'] },
    { code: 'mol/L', factor: 18_015.6, spellings: ['mol/l'] },
  ],
  glucoseRate: [
    { code: 'mg/dL/min', factor: 1, spellings: ['(mg/dL)/min', 'mg/(dL.min)', 'mg/dl/min'] },
    { code: 'mmol/L/min', factor: 18.0156, spellings: ['(mmol/L)/min', 'mmol/l/min'] },
  ],
  bodyMassIndex: [{ code: 'kg/m2', factor: 1, spellings: ['kg/m²', 'kg/m^2'] }],
  time: [
    { code: 'ms', factor: 1, spellings: ['millisecond', 'milliseconds', 'msec'] },
    { code: 's', factor: 1000, spellings: ['sec', 'second', 'seconds'] },
    { code: 'min', factor: 60_000, spellings: ['minute', 'minutes'] },
    { code: 'h', factor: 3_600_000, spellings: ['hour', 'hours'] },
  ],
  duration: [
    { code: 's', factor: 1, spellings: ['sec', 'second', 'seconds'] },
    { code: 'ms', factor: 0.001, spellings: ['msec'] },
    { code: 'min', factor: 60, spellings: ['minute', 'minutes'] },
    { code: 'h', factor: 3600, spellings: ['hour', 'hours'] },
  ],
  heat: [
    { code: 'kJ', factor: 1 },
    { code: 'kcal', factor: 4.184, spellings: ['Cal'] },
    { code: 'J', factor: 0.001 },
  ],
  illuminance: [
    { code: 'lx', factor: 1, spellings: ['lux', 'Lux', 'LX'] },
    { code: 'klx', factor: 1000 },
  ],
  partsPerMillion: [
    { code: '[ppm]', factor: 1, spellings: ['ppm', 'PPM'] },
    { code: '[ppb]', factor: 0.001, spellings: ['ppb', 'PPB'] },
  ],
  massConcentration: [
    { code: 'ug/m3', factor: 1, spellings: ['µg/m³', 'μg/m³', 'ug/m³', 'µg/m3', 'μg/m3'] },
    { code: 'mg/m3', factor: 1000, spellings: ['mg/m³'] },
  ],
  voltage: [
    { code: 'V', factor: 1, spellings: ['volt', 'volts', 'v'] },
    { code: 'mV', factor: 0.001, spellings: ['millivolt', 'mv'] },
  ],
  current: [
    { code: 'A', factor: 1, spellings: ['amp', 'ampere'] },
    { code: 'mA', factor: 0.001 },
  ],
  power: [
    { code: 'W', factor: 1, spellings: ['watt', 'watts'] },
    { code: 'kW', factor: 1000 },
  ],
  energy: [
    { code: 'kW.h', factor: 1, spellings: ['kWh'] },
    { code: 'W.h', factor: 0.001, spellings: ['Wh'] },
    { code: 'MJ', factor: 1 / 3.6 },
  ],
  volume: [
    { code: 'L', factor: 1, spellings: ['l', 'litre', 'liter', 'litres', 'liters'] },
    { code: 'mL', factor: 0.001, spellings: ['ml'] },
    { code: 'm3', factor: 1000, spellings: ['m³'] },
  ],
  volumeFlow: [
    { code: 'L/min', factor: 1, spellings: ['l/min', 'lpm', 'LPM'] },
    { code: 'L/s', factor: 60, spellings: ['l/s'] },
    { code: 'm3/h', factor: 1000 / 60, spellings: ['m³/h'] },
  ],
  acceleration: [
    { code: 'm/s2', factor: 1, spellings: ['m/s²', 'm/s^2'] },
    { code: '[g]', factor: 9.80665, spellings: ['g', 'G'] },
    { code: 'm[g]', factor: 0.00980665, spellings: ['mg', 'mG'] },
  ],
  speed: [
    { code: 'm/s', factor: 1 },
    { code: 'km/h', factor: 1 / 3.6, spellings: ['kmh', 'kph'] },
  ],
  angle: [{ code: 'deg', factor: 1, spellings: ['°', 'degree', 'degrees'] }],
  angularSpeed: [{ code: 'deg/s', factor: 1, spellings: ['°/s', 'dps'] }],
  rotation: [{ code: '{rpm}', factor: 1, spellings: ['rpm', 'RPM', '/min'] }],
  conductivity: [
    { code: 'uS/cm', factor: 1, spellings: ['µS/cm', 'μS/cm'] },
    { code: 'mS/cm', factor: 1000 },
  ],
  conductance: [{ code: 'uS', factor: 1, spellings: ['µS', 'μS', 'microsiemens'] }],
  precipitation: [
    { code: 'mm', factor: 1 },
    { code: '[in_i]', factor: 25.4, spellings: ['in'] },
  ],
  signalPower: [{ code: '{dBm}', factor: 1, spellings: ['dBm', 'dbm', 'dB[mW]'] }],
  decibel: [{ code: 'dB', factor: 1, spellings: ['dB(A)', 'dBA'] }],
  /** Counts, states and indexes: a number of its own kind, which nothing converts. */
  unity: [{ code: '1', factor: 1, spellings: ['{count}', 'count', '{steps}', 'steps', '{index}', 'bool', 'boolean'] }],
} as const satisfies Record<string, readonly Unit[]>

export type Dimension = keyof typeof dimensions

/** Turns a value of one unit into the canonical one. `null` = the same unit, spelled differently at most. */
export interface Conversion {
  /** UCUM code of the unit converted from. */
  readonly from: string
  readonly convert: ((value: number) => number) | null
}

/**
 * Rounds away the noise of binary arithmetic: 12 significant digits, more than any sensor gives, so that 98.24 °F is
 * 36.8 °C and not 36.800000000000004.
 */
export const withoutNoise = (value: number): number => Number(value.toPrecision(12))

/** Every spelling of a dimension's units -> how it becomes `canonical`. Built once per signal unit, then only Map reads. */
export function conversionsTo(canonical: string, dimension: Dimension): ReadonlyMap<string, Conversion> {
  const units: readonly Unit[] = dimensions[dimension]
  const target = units.find((unit) => unit.code === canonical)
  if (target === undefined) throw new Error(`unit ${canonical} is not of dimension ${dimension}`)
  const bySpelling = new Map<string, Conversion>()
  // Codes first: no spelling may hide another unit's UCUM code.
  for (const unit of units) bySpelling.set(unit.code, conversion(unit, target))
  for (const unit of units) {
    for (const spelling of unit.spellings ?? []) {
      if (!bySpelling.has(spelling)) bySpelling.set(spelling, conversion(unit, target))
    }
  }
  return bySpelling
}

function conversion(from: Unit, to: Unit): Conversion {
  const offset = (from.offset ?? 0) - (to.offset ?? 0)
  if (from.factor === to.factor && offset === 0) return { from: from.code, convert: null }
  return { from: from.code, convert: (value) => withoutNoise((value * from.factor + offset) / to.factor) }
}
