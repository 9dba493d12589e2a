import { readFileSync } from 'node:fs'
import { allSignals, signal } from '@careloop/contract'
import { describe, expect, test } from 'vitest'
import { allProfiles, profile } from './catalog.ts'
import { strayKeys } from './generic-profile.ts'
import { defineProfile } from './profile.ts'
import { hex, ownVectors } from './testing/material.ts'
import { chirpStackUplink } from './testing/uplinks.ts'

test('every profile has a code of its own, a format, and a codec when it takes raw bytes', () => {
  expect(new Set(allProfiles.map(({ code }) => code)).size).toBe(allProfiles.length)
  for (const each of allProfiles) {
    expect(each.code).toMatch(/^[a-z0-9][a-z0-9-]{0,63}$/)
    expect(each.formats.length, each.code).toBeGreaterThan(0)
    expect(each.formats.includes('profile'), each.code).toBe(each.decode !== undefined)
    expect(profile(each.code)).toBe(each)
    for (const { signal: code, unit } of each.signals) expect(each.find(code)).toEqual({ signal: code, unit })
  }
  expect(profile('no-such-profile')).toBeUndefined()
})

test('docs/profiles.md lists every profile', () => {
  const page = readFileSync(new URL('../../../docs/profiles.md', import.meta.url), 'utf8')
  for (const { code } of allProfiles) expect(page, code).toContain(`\`${code}\``)
})

test('docs/errors.md explains every code of a codec', async () => {
  const { errors } = await import('./errors.ts')
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
  for (const [code, { status, disposition }] of Object.entries(errors)) {
    expect(page).toContain(`| \`${code}\` | ${status} | ${disposition} |`)
  }
})

describe('the generic profile', () => {
  const generic = profile('generic')!

  test.each([
    ['hr', 'heart-rate'],
    ['SpO2', 'spo2'],
    ['spo2', 'spo2'],
    ['sys', 'systolic'],
    ['dia', 'diastolic'],
    ['temp', 'temperature-ambient'],
    ['temperature', 'temperature-ambient'],
    ['bodyTemperature', 'body-temperature'],
    ['battery', 'battery-level'],
    ['temperature-probe', 'temperature-probe'],
  ])('knows %s as %s', (key, code) => expect(generic.find(key)?.signal).toBe(code))

  test.each(['pressure', 'rr', 'hrv', 'constructor', '__proto__', '', 'Hr'])('does not guess what %j is', (key) =>
    expect(generic.find(key)).toBeUndefined(),
  )

  test('takes every signal by its code, in its canonical unit', () => {
    for (const { code, unit } of allSignals) expect(generic.find(code)).toEqual({ signal: code, unit })
    expect(strayKeys).toEqual([])
  })

  test('leaves a bare temperature of a wearable to the body', () => {
    expect(profile('generic-wearable')!.find('temperature')?.signal).toBe('body-temperature')
    expect(profile('generic-wearable')!.find('ambientTemperature')?.signal).toBe('temperature-ambient')
  })
})

test('a key that stands for two signals and a signal nobody knows are bugs of a profile', () => {
  const data = { code: 'x', name: 'x', classification: 'wellness', formats: ['json'] } as const
  const spo2 = { signal: 'spo2', unit: '%', keys: ['value'] }
  expect(() =>
    defineProfile({ ...data, signals: [spo2, { signal: 'glucose', unit: 'mg/dL', keys: ['value'] }] }),
  ).toThrow('two signals')
  expect(() => defineProfile({ ...data, signals: [{ signal: 'spo3', unit: '%' }] })).toThrow('no signal')
})

interface AnyVector {
  readonly profile: string
  readonly hex: string
  readonly fPort?: number
  readonly refused?: string
}

test('a profile declares every signal that its codec gives', () => {
  const vectors = [...ownVectors<AnyVector>('advertisements.json'), ...ownVectors<AnyVector>('lorawan.json')]
  for (const vector of vectors.filter(({ refused }) => refused === undefined)) {
    const { signals, decode } = profile(vector.profile)!
    const bytes = vector.fPort === undefined ? hex(vector.hex) : chirpStackUplink(vector.fPort, hex(vector.hex))
    const declared = new Set(signals.map((each) => each.signal))
    for (const reading of decode!(bytes).readings) {
      expect(declared, vector.profile).toContain(reading.signal.replace(/-2$/, ''))
      expect(signal(reading.signal)).toBeDefined()
    }
  }
})
