/** Brings the devices to life: each connects with its own credential, tells its past, and goes on. */
import type { EpochMs } from '@careloop/contract'
import { tellings, type Utterance } from '../devices/virtual-device.ts'
import { realTime, runDevice } from '../run-device.ts'
import { MINUTE } from '../signals/day-rhythm.ts'
import { httpSpeaker } from '../speakers/http-speaker.ts'
import { mqttSpeaker } from '../speakers/mqtt-speaker.ts'
import type { Credential, Speaker } from '../speakers/speaker.ts'
import type { Act, Way } from './acts.ts'
import type { Place } from './place.ts'
import type { Replay } from './replay.ts'

export interface Addresses {
  readonly http: string
  readonly mqtt: string
  readonly mqtts: string
}

export interface Troupe {
  stop(): Promise<void>
}

export interface TroupeParts {
  readonly addresses: Addresses
  readonly place: Place
  readonly start: EpochMs
  readonly log: (what: string, device: string, more?: object) => void
}

export const speakerFor = async (
  name: string,
  credential: Credential,
  way: Way,
  addresses: Addresses,
): Promise<Speaker> => {
  if (way.protocol === 'http') {
    if (credential.kind !== 'token') throw new Error('the HTTP door takes tokens')
    return httpSpeaker({
      url: addresses.http,
      device: name,
      token: credential.token,
      format: way.format,
      gzip: way.gzip,
    })
  }
  return mqttSpeaker({
    url: credential.kind === 'certificate' ? addresses.mqtts : addresses.mqtt,
    ...{ device: name, credential, protocolVersion: way.version, reconnects: true },
    ...(way.topics ? { topics: way.topics } : {}),
  })
}

/** A device that lives by its model. */
export async function perform(act: Act, credential: Credential, parts: TroupeParts): Promise<Troupe> {
  const { device } = act
  const speaker = await speakerFor(device.name, credential, act.way, parts.addresses)
  const told = parts.place.memory.toldUntil[device.name] ?? parts.start - act.pastMs
  // A device that speaks every second and slept for a week does not tell the week.
  const from = Math.max(told, parts.start - Math.max(act.pastMs, 10 * MINUTE))
  await tell(speaker, tellings(device, from, parts.start), device.name, parts)
  parts.place.memory.toldUntil[device.name] = parts.start
  const life = runDevice(device, speaker, lifeParts(device.name, parts), parts.start)
  return {
    async stop() {
      await life.stop()
      parts.place.memory.toldUntil[device.name] = realTime.now()
      await speaker.close()
    },
  }
}

/** A device that tells a recording. Its history is told once; the live part anew at each run. */
export async function replay(name: string, speaker: Speaker, plan: Replay, parts: TroupeParts): Promise<Troupe> {
  const { memory } = parts.place
  if (memory.toldUntil[name] === undefined) await tell(speaker, plan.history, name, parts)
  memory.toldUntil[name] = parts.start
  parts.place.save()
  let saying: Promise<unknown> = Promise.resolve()
  const cancels = plan.live.map(({ afterMs, values }) =>
    realTime.after(Math.max(0, parts.start + afterMs - realTime.now()), () => {
      saying = tell(speaker, [{ what: 'measurement', at: realTime.now(), values }], name, parts)
    }),
  )
  return {
    async stop() {
      for (const cancel of cancels) cancel()
      await saying
      await speaker.close()
    },
  }
}

async function tell(speaker: Speaker, utterances: readonly Utterance[], name: string, parts: TroupeParts) {
  try {
    const answers = utterances.length === 0 ? [] : await speaker.say(utterances)
    for (const answer of answers)
      if (answer.outcome === 'refused') parts.log('refused', name, { reason: answer.reason })
  } catch (error) {
    parts.log('not told', name, { error: error instanceof Error ? error.message : 'unknown' })
  }
}

const lifeParts = (name: string, parts: TroupeParts): Parameters<typeof runDevice>[2] => ({
  ...realTime,
  answered(answers) {
    for (const answer of answers)
      if (answer.outcome === 'refused') parts.log('refused', name, { reason: answer.reason })
  },
  failed: (error) => parts.log('not told', name, { error: error instanceof Error ? error.message : 'unknown' }),
})
