/** MQTT by MQTT.js, unchanged: 3.1.1 or 5.0, with a token over TCP or a client certificate over TLS. QoS 1, in order. */
import mqtt from 'mqtt'
import type { Utterance } from '../devices/virtual-device.ts'
import { jsonOf } from './encode.ts'
import type { Answer, Credential, Speaker } from './speaker.ts'

export interface MqttSpeakerOptions {
  /** `mqtt://127.0.0.1:1883`, or `mqtts://localhost:8883` with a certificate. */
  readonly url: string
  /** The device's name or id, as its topics carry it. */
  readonly device: string
  readonly credential: Credential
  readonly protocolVersion?: 4 | 5
  /** ThingsBoard's topics, as firmware in the field has them: `v1/devices/me/telemetry`. */
  readonly topics?: 'careloop' | 'thingsboard'
  /** Default false: one attempt, then an error. With true it comes back by itself, as devices do. */
  readonly reconnects?: boolean
}

/** Connects. @throws when the door refuses the credential or cannot be reached */
export async function mqttSpeaker(options: MqttSpeakerOptions): Promise<Speaker> {
  const { url, device, reconnects = false, topics = 'careloop' } = options
  const base = topics === 'thingsboard' ? 'v1/devices/me/' : `devices/${device}/`
  const client = await mqtt.connectAsync(url, {
    ...credentialsOf(options),
    clientId: `simulator-${device}`,
    protocolVersion: options.protocolVersion ?? 4,
    clean: true,
    keepalive: 30,
    reconnectPeriod: reconnects ? 1000 : 0,
  })
  // MQTT.js tells of a broken connection by this event; whoever waits for an acknowledgement hears of it there.
  client.on('error', () => {})
  const publish = (topic: string, bytes: Uint8Array | string) =>
    client.publishAsync(topic, typeof bytes === 'string' ? bytes : Buffer.from(bytes), { qos: 1 }).then(
      (): Answer => ({ outcome: 'acknowledged', messages: 1 }),
      (error: unknown) => refusalOf(error),
    )
  return {
    say: (utterances) => Promise.all(utterances.map((each) => publish(base + suffixOf(each, topics), payloadOf(each)))),
    close: () => client.endAsync(),
  }
}

function credentialsOf({ device, credential, topics }: MqttSpeakerOptions): mqtt.IClientOptions {
  if (credential.kind === 'certificate')
    return { cert: credential.certificate, key: credential.privateKey, ca: credential.authority }
  // ThingsBoard's firmware shows its token as user name and no password.
  return topics === 'thingsboard'
    ? { username: credential.token }
    : { username: device, password: Buffer.from(credential.token) }
}

function suffixOf(utterance: Utterance, topics: 'careloop' | 'thingsboard'): string {
  if (utterance.what === 'attributes') return 'attributes'
  return utterance.what === 'measurement' && topics === 'careloop' ? 'telemetry/json' : 'telemetry'
}

function payloadOf(utterance: Utterance): string | Uint8Array {
  if (utterance.what === 'frame') return utterance.bytes
  return JSON.stringify(utterance.what === 'measurement' ? jsonOf(utterance) : utterance.values)
}

/** MQTT 5 reason codes from 0x80 on refuse a message for good; anything else is a broken connection. @throws the error itself */
function refusalOf(error: unknown): Answer {
  const code = (error as { code?: unknown }).code
  if (typeof code === 'number' && code >= 0x80)
    return { outcome: 'refused', messages: 1, reason: `reason code 0x${code.toString(16)}` }
  throw error
}
