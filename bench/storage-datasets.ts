/** Readings to weigh: the shared real sets where they are found beside the checkout, and signals of our own making. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Dataset {
  readonly name: string
  readonly signal: string
  /** `sensed`: as a sensor gave it. `derived`: computed by the set's authors with 15 digits. `made`: by this file. */
  readonly kind: 'sensed' | 'derived' | 'made'
  /** More than one reading in five minutes: the bar of 5 bytes is for these. */
  readonly isDense: boolean
  readonly times: Float64Array
  readonly values: Float64Array
}

const MATERIAL = new URL('../../shared/material/', import.meta.url)

export function realSets(): Dataset[] {
  if (!existsSync(fileURLToPath(MATERIAL))) {
    console.log('The shared material is not beside this checkout: only our own signals are weighed.')
    return []
  }
  return [...empatica(), ...glucose(), ...rooms(), ...pressures(), ...fridges()]
}

const read = (path: string): string => readFileSync(fileURLToPath(new URL(path, MATERIAL)), 'utf8')
const lines = (path: string): string[] => read(path).trim().split(/\r?\n/)

function dataset(
  name: string,
  signal: string,
  kind: Dataset['kind'],
  pairs: readonly (readonly [number, number])[],
): Dataset {
  const sorted = [...pairs].sort((a, b) => a[0] - b[0])
  const times = Float64Array.from(sorted, (pair) => pair[0])
  const spanMs = times.at(-1)! - times[0]!
  return {
    ...{ name, signal, kind, times },
    isDense: spanMs / times.length <= 300_000,
    values: Float64Array.from(sorted, (pair) => pair[1]),
  }
}

/** Empatica E4: first line start, second line rate in Hz. */
function empatica(): Dataset[] {
  const signals = { HR: 'heart-rate', EDA: 'skin-conductance', TEMP: 'skin-temperature', BVP: 'pulse-wave' }
  return Object.entries(signals).map(([file, signal]) => {
    const [start, hz, ...values] = lines(`datasets/stress-predict/S05/${file}.csv`).map(Number)
    return dataset(
      `wrist ${file} ${hz} Hz`,
      signal,
      'sensed',
      values.map((value, i) => [Math.round(start! * 1_000 + (i * 1_000) / hz!), value]),
    )
  })
}

function glucose(): Dataset[] {
  const rows = lines('datasets/cgm/hall2018.csv')
    .slice(1)
    .map((line) => line.replaceAll('"', '').split(','))
  const mine = rows.filter((row) => row[0] === '1636-69-001')
  return [
    dataset(
      'CGM 5 min',
      'glucose',
      'sensed',
      mine.map((row) => [Date.parse(`${row[1]}Z`), Number(row[2])]),
    ),
  ]
}

function rooms(): Dataset[] {
  const rows = lines('datasets/room-occupancy/datatraining.txt')
    .slice(1)
    .map((line) => line.replaceAll('"', '').split(','))
  const columns = [
    ['temperature', 2, 'temperature-ambient', 'sensed'],
    ['humidity', 3, 'humidity', 'sensed'],
    ['light', 4, 'illuminance', 'sensed'],
    ['CO2', 5, 'co2', 'sensed'],
    ['humidity ratio', 6, 'humidity-ratio', 'derived'],
  ] as const
  return columns.map(([name, at, signal, kind]) =>
    dataset(
      `room ${name} 1 min`,
      signal,
      kind,
      rows.map((row) => [Date.parse(`${row[1]!.replace(' ', 'T')}Z`), Number(row[at])]),
    ),
  )
}

function pressures(): Dataset[] {
  const rows = lines('datasets/blood-pressure/bp_jhs.csv')
    .slice(1)
    .map((line) => line.replaceAll('"', '').split(','))
  const of = (column: number): [number, number][] => rows.map((row) => [Date.parse(`${row[0]}Z`), Number(row[column])])
  return [dataset('blood pressure, systolic', 'systolic', 'sensed', of(7))]
}

function fridges(): Dataset[] {
  const files = ['100800001215_202304201410', 'RCPJ00010_02_202211090128']
  return files.map((file, i) => {
    const entries = JSON.parse(read(`cold-chain/${file}.log.json`)) as { t: string; c: number }[]
    return dataset(
      `fridge logger ${i + 1}`,
      'temperature-probe',
      'sensed',
      entries.map((entry) => [Date.parse(`${entry.t.replace(' ', 'T')}:00Z`), entry.c]),
    )
  })
}

// ---------------------------------------------------------------- our own: the same numbers each time

const T0 = Date.UTC(2026, 0, 5)

/** A small repeatable generator (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A heart with a day's rhythm, slow drift and beat-to-beat noise; the clock of a cheap device wanders by `jitterMs`. */
function heart(seed: number, n: number, everyMs: number, jitterMs: number): [number, number][] {
  const next = random(seed)
  let drift = 0
  return Array.from({ length: n }, (_, i) => {
    const at = T0 + i * everyMs
    drift = drift * 0.995 + (next() - 0.5) * 0.8
    const day = Math.sin(((at % 86_400_000) / 86_400_000 - 0.3) * 2 * Math.PI)
    return [at + Math.round(next() * jitterMs), Math.round(70 + 9 * day + drift + (next() - 0.5) * 3)]
  })
}

export function ownSets(): Dataset[] {
  const next = random(7)
  const weights = Array.from({ length: 365 }, (_, day): [number, number] => [
    T0 + day * 86_400_000 + 7 * 3_600_000 + Math.round(next() * 3_600_000),
    Math.round((81.4 - day * 0.01 + (next() - 0.5) * 1.2) * 10) / 10,
  ])
  return [
    dataset('own heart rate 1 Hz', 'heart-rate', 'made', heart(1, 40_000, 1_000, 0)),
    dataset('own heart rate 1 Hz, 250 ms jitter', 'heart-rate', 'made', heart(2, 40_000, 1_000, 250)),
    dataset('own heart rate 1 min', 'heart-rate', 'made', heart(3, 10_000, 60_000, 0)),
    dataset('own daily weight', 'weight', 'made', weights),
  ]
}

/** One signal at one a minute for 31 days. */
export const ownMonth = (): Dataset =>
  dataset('own month at 1 min', 'heart-rate', 'made', heart(5, 31 * 1_440, 60_000, 900))
