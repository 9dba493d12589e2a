/**
 * The units of UCUM that devices, laboratories and bedsides send, each by its definition in smaller ones (UCUM 2.1,
 * tables 1-18). What is not here goes to the complete library, which is slower to load: see `unit.ts`.
 */

/** Powers of ten that a metric unit may carry in front. */
// biome-ignore format: a table
export const prefixes: Readonly<Record<string, number>> = {
  Y: 1e24, Z: 1e21, E: 1e18, P: 1e15, T: 1e12, G: 1e9, M: 1e6, k: 1e3, h: 1e2, da: 1e1,
  d: 1e-1, c: 1e-2, m: 1e-3, u: 1e-6, n: 1e-9, p: 1e-12, f: 1e-15, a: 1e-18, z: 1e-21, y: 1e-24,
}

/**
 * Units that are not made of others. UCUM counts `mol` as a number (6.02e23); here it stays an amount of substance, so
 * that 5 mmol/L never equals a count per litre. Arbitrary units compare with themselves only.
 */
export const bases: readonly string[] = [
  'm',
  's',
  'g',
  'rad',
  'K',
  'C',
  'cd',
  'mol',
  '[iU]',
  "[arb'U]",
  '[CFU]',
  '[PFU]',
]

/** `metric` ones take prefixes. */
export const metricBases: ReadonlySet<string> = new Set(['m', 's', 'g', 'rad', 'K', 'C', 'cd', 'mol', '[iU]'])

/** Unit to `[factor, in units, metric]`. */
export const derived: Readonly<Record<string, readonly [number, string, boolean]>> = {
  '10*': [10, '1', false],
  '10^': [10, '1', false],
  '%': [1e-2, '1', false],
  '[ppth]': [1e-3, '1', false],
  '[ppm]': [1e-6, '1', false],
  '[ppb]': [1e-9, '1', false],
  '[pi]': [Math.PI, '1', false],
  sr: [1, 'rad2', true],
  Hz: [1, 's-1', true],
  N: [1, 'kg.m/s2', true],
  Pa: [1, 'N/m2', true],
  J: [1, 'N.m', true],
  W: [1, 'J/s', true],
  A: [1, 'C/s', true],
  V: [1, 'J/C', true],
  F: [1, 'C/V', true],
  Ohm: [1, 'V/A', true],
  S: [1, '/Ohm', true],
  Wb: [1, 'V.s', true],
  T: [1, 'Wb/m2', true],
  H: [1, 'Wb/A', true],
  lm: [1, 'cd.sr', true],
  lx: [1, 'lm/m2', true],
  Bq: [1, 's-1', true],
  Gy: [1, 'J/kg', true],
  Sv: [1, 'J/kg', true],
  eq: [1, 'mol', true],
  osm: [1, 'mol', true],
  kat: [1, 'mol/s', true],
  U: [1, 'umol/min', true],
  '[IU]': [1, '[iU]', true],
  l: [1, 'dm3', true],
  L: [1, 'dm3', true],
  ar: [100, 'm2', true],
  t: [1e3, 'kg', true],
  bar: [1e5, 'Pa', true],
  'm[Hg]': [133.322, 'kPa', true],
  'm[H2O]': [9.80665, 'kPa', true],
  atm: [101325, 'Pa', false],
  cal: [4.184, 'J', true],
  '[Cal]': [1, 'kcal', false],
  eV: [1.60217733e-19, 'J', true],
  min: [60, 's', false],
  h: [60, 'min', false],
  d: [24, 'h', false],
  wk: [7, 'd', false],
  a: [365.25, 'd', false],
  a_j: [365.25, 'd', false],
  mo: [365.25 / 12, 'd', false],
  mo_j: [365.25 / 12, 'd', false],
  deg: [Math.PI / 180, 'rad', false],
  "'": [Math.PI / 10800, 'rad', false],
  "''": [Math.PI / 648000, 'rad', false],
  '[in_i]': [2.54, 'cm', false],
  '[ft_i]': [12, '[in_i]', false],
  '[yd_i]': [3, '[ft_i]', false],
  '[mi_i]': [5280, '[ft_i]', false],
  '[gr]': [64.79891, 'mg', false],
  '[lb_av]': [7000, '[gr]', false],
  '[oz_av]': [7000 / 16, '[gr]', false],
  '[stone_av]': [14, '[lb_av]', false],
  '[lbf_av]': [4.4482216152605, 'N', false],
  '[psi]': [1, '[lbf_av]/[in_i]2', false],
  "[in_i'Hg]": [0.0254, 'm[Hg]', false],
  '[gal_us]': [231, '[in_i]3', false],
  '[foz_us]': [231 / 128, '[in_i]3', false],
  '[cup_us]': [231 / 16, '[in_i]3', false],
  '[tbs_us]': [231 / 256, '[in_i]3', false],
  '[tsp_us]': [231 / 768, '[in_i]3', false],
  '[drp]': [0.05, 'mL', false],
  '[MET]': [3.5, 'mL/min/kg', false],
}

/** Units on a scale of their own whose zero lies elsewhere: kelvin = (value + offset) * factor. */
export const offsets: Readonly<Record<string, { readonly offset: number; readonly factor: number }>> = {
  Cel: { offset: 273.15, factor: 1 },
  '[degF]': { offset: 459.67, factor: 5 / 9 },
}
