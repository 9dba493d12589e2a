/** The clients that people really use, unchanged: MQTT.js in both versions, mosquitto_pub and mosquitto_sub. */
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import mqtt from 'mqtt'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTestDoor, type TestDoor } from './testing/open-test-door.ts'
import { aDevice } from './testing/scripted-host.ts'

let ground: TestDoor

beforeEach(async () => {
  ground = await openTestDoor()
})
afterEach(() => ground.close())

const dial = (protocolVersion: 4 | 5, more: mqtt.IClientOptions = {}) =>
  mqtt.connectAsync(`mqtt://127.0.0.1:${ground.port}`, {
    protocolVersion,
    username: 'token-1',
    reconnectPeriod: 0,
    ...more,
  })

describe.each([4, 5] as const)('mqtt with MQTT.js, version %i', (version) => {
  it('publishes at every QoS, gets its settings, and comes back to its session', async () => {
    const { host } = ground
    const device = aDevice(1)
    const options: mqtt.IClientOptions = {
      clientId: 'js',
      clean: false,
      ...(version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}),
    }
    const client = await dial(version, options)
    for (const qos of [0, 1, 2] as const)
      await client.publishAsync('v1/devices/me/telemetry', `{"qos":${qos}}`, { qos })
    const payloads = () => host.frames.map(({ bytes }) => Buffer.from(bytes).toString())
    await host.until(() => host.frames.length === 3)
    expect(payloads()).toEqual(['{"qos":0}', '{"qos":1}', '{"qos":2}'])
    const heard = new Promise<string>((resolve) => client.on('message', (_, payload) => resolve(payload.toString())))
    host.changeSettings(device, { interval: 60 }, 1)
    const [grant] = await client.subscribeAsync('devices/device-1/settings', { qos: 1 })
    expect(grant?.qos).toBe(1)
    expect(await heard).toBe('{"interval":60}')
    await host.until(() => host.reached.length === 1)
    await client.endAsync()
    host.changeSettings(device, { interval: 5 }, 2)
    const again = mqtt.connect(`mqtt://127.0.0.1:${ground.port}`, {
      ...options,
      protocolVersion: version,
      username: 'token-1',
    })
    const newer = new Promise<string>((resolve) => again.on('message', (_, payload) => resolve(payload.toString())))
    const present = await new Promise<boolean>((resolve) =>
      again.on('connect', ({ sessionPresent }) => resolve(sessionPresent)),
    )
    expect(present).toBe(true)
    expect(await newer).toBe('{"interval":5}')
    await again.endAsync()
  })

  it('fails a connection with a wrong token', async () => {
    await expect(dial(version, { username: 'wrong' })).rejects.toMatchObject({ code: version === 5 ? 0x86 : 4 })
  })
})

it('mqtt with MQTT.js > a 5.0 client hears why its payload was set aside', async () => {
  const quarantined = [{ id: 'q', reason: 'bad-frame' as const, pointer: '/values', message: 'Missing.' }]
  ground.host.answer = async () => ({ outcome: 'quarantined', quarantined })
  const client = await dial(5)
  await expect(client.publishAsync('v1/devices/me/telemetry', 'x', { qos: 1 })).rejects.toMatchObject({ code: 0x99 })
  await client.endAsync()
})

const run = promisify(execFile)

async function mosquitto(tool: 'mosquitto_pub' | 'mosquitto_sub', ...args: string[]) {
  try {
    return await run(tool, ['-h', '127.0.0.1', '-p', String(ground.port), ...args])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error(`${tool} is missing. Install it: apt-get install mosquitto-clients`)
    throw error
  }
}

describe.each(['mqttv311', 'mqttv5'])('mqtt with mosquitto clients, %s', (version) => {
  const as = ['-V', version, '-u', 'token-1', '-i', 'mosquitto']

  it.each(['0', '1', '2'])('takes one line of mosquitto_pub at QoS %s', async (qos) => {
    await mosquitto(
      'mosquitto_pub',
      ...as,
      '-q',
      qos,
      '-t',
      'devices/device-1/telemetry',
      '-m',
      '{"values":{"spo2":97}}',
    )
    await ground.host.until(() => ground.host.frames.length === 1)
    expect(Buffer.from(ground.host.frames[0]!.bytes).toString()).toBe('{"values":{"spo2":97}}')
  })

  it('takes a thousand lines on one connection, in order', async () => {
    const args = ['-h', '127.0.0.1', '-p', String(ground.port), ...as, '-q', '1', '-t', 'v1/devices/me/telemetry', '-l']
    const child = spawn('mosquitto_pub', args, { stdio: ['pipe', 'ignore', 'ignore'] })
    const ended = new Promise<number | null>((resolve, reject) => {
      child.on('exit', resolve)
      child.on('error', () =>
        reject(new Error('mosquitto_pub is missing. Install it: apt-get install mosquitto-clients')),
      )
    })
    child.stdin.end(Array.from({ length: 1_000 }, (_, n) => `${n}\n`).join(''))
    expect(await ended).toBe(0)
    expect(ground.host.frames.map(({ bytes }) => Number(Buffer.from(bytes).toString()))).toEqual([
      ...Array(1_000).keys(),
    ])
  })

  it('sends mosquitto_sub its settings', async () => {
    ground.host.changeSettings(aDevice(1), { interval: 60 }, 1)
    const { stdout } = await mosquitto('mosquitto_sub', ...as, '-q', '1', '-t', 'devices/device-1/settings', '-C', '1')
    expect(stdout.trim()).toBe('{"interval":60}')
  })

  it('refuses a wrong token so that a person sees why', async () => {
    const refused = mosquitto(
      'mosquitto_pub',
      '-V',
      version,
      '-u',
      'wrong',
      '-t',
      'v1/devices/me/telemetry',
      '-m',
      '{}',
    )
    await expect(refused).rejects.toMatchObject({ stderr: expect.stringMatching(/not authori[sz]ed|bad user ?name/i) })
  })
})
