import type { ProfileList } from '@careloop/contract'
import { describe, expect, it } from 'vitest'
import { commandsFor, hostOf, samplePayload } from './commands.ts'

const profile = (code: string, ...signals: string[]): ProfileList['items'][number] => ({
  ...{ code, name: code, classification: 'medical', formats: ['json'] },
  signals: signals.map((signal) => ({ signal, unit: '1' })),
})
const mqtt = { door: 'mqtt', host: '127.0.0.1', port: 1883 } as const
const mqtts = { door: 'mqtts', host: '0.0.0.0', port: 8883 } as const
const asked = { name: 'cuff-1', token: 'cld_x', origin: 'http://care.example:8080', payload: '{"values":{}}' }

describe('lines to copy', () => {
  it('carry host, port, topic and token of this device', () => {
    const texts = commandsFor({ ...asked, doors: [mqtt, mqtts] }).map(({ text }) => text)
    expect(texts[0]).toContain("mosquitto_pub -h 127.0.0.1 -p 1883 -i cuff-1 -u cuff-1 -P 'cld_x' -q 1")
    expect(texts[0]).toContain('-t devices/cuff-1/telemetry')
    expect(texts[1]).toContain('-h care.example -p 8883')
    expect(texts[2]).toContain('curl -sS http://care.example:8080/api/v1/ingest')
    expect(texts[2]).toContain('Bearer cld_x')
  })

  it('leave out a door that is closed, and never invent a token', () => {
    const commands = commandsFor({ ...asked, token: undefined, doors: [] })
    expect(commands.map(({ title }) => title)).toEqual(['By HTTP, with a token'])
    expect(commands[0]!.text).toContain('<token of this device>')
  })

  it('name the page’s own host for a door on every address', () => {
    expect([hostOf(mqtts, 'care.example'), hostOf(mqtt, 'care.example')]).toEqual(['care.example', '127.0.0.1'])
  })

  it('send what the profile reads', () => {
    const pressure = '{"values":{"systolic":124,"diastolic":78}}'
    expect(samplePayload(profile('blood-pressure', 'systolic', 'diastolic', 'pulse-rate'), false)).toBe(pressure)
    expect(samplePayload(profile('oximeter', 'spo2'), true)).toBe('{"values":{"spo2":97}}')
    expect(samplePayload(profile('generic', 'systolic', 'diastolic'), true)).toBe(pressure)
    expect(samplePayload(undefined, false)).toBe('{"values":{"temperature-probe":4.6}}')
  })
})
