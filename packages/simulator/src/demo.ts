/**
 * `npm run demo`: a whole Careloop on this machine, with two organisations that do not exist, and devices that speak to it over
 * real protocols. The environment, the clock and the terminal are used here and nowhere else in the simulator.
 */
import { createWriteStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Failure } from '@careloop/contract'
import { endOnCrash, endWithProcess, makeWatch, type Platform, readConfig, startPlatform } from '@careloop/platform'
import { buildWeb } from '../../../scripts/build-web.ts'
import { actsOf } from './demo/acts.ts'
import { type DeviceCast, deviceToTry, enrolDevice } from './demo/devices.ts'
import { openMailbox } from './demo/mailbox.ts'
import { makePeople, type People } from './demo/people.ts'
import { demoEnvironment, forgetPlace, NotTheDemo, openPlace, type Place } from './demo/place.ts'
import { takenPorts } from './demo/ports.ts'
import {
  bloodPressureRecording,
  excursionEnd,
  lastRaisedRun,
  type Recording,
  refrigeratorRecording,
} from './demo/recordings.ts'
import { bloodPressurePace, type Pace, planReplay, realPace } from './demo/replay.ts'
import { clock, openTasks, tellOfTasks } from './demo/tasks-told.ts'
import { type Addresses, perform, replay, speakerFor, type Troupe, type TroupeParts } from './demo/troupe.ts'
import { portTaken, welcome } from './demo/words.ts'
import { SECOND } from './signals/day-rhythm.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const shared = fileURLToPath(new URL('../../../../shared/material', import.meta.url))

async function main(): Promise<void> {
  const mailbox = await openMailbox(({ to, subject }) =>
    say(`${clock(Date.now())}  mail   ${to.join(', ')}: ${subject}`),
  )
  const config = readConfig(demoEnvironment(process.env, root, mailbox.url))
  if (!config.mqtt || !config.mqtts)
    throw new NotTheDemo('The demo needs both MQTT doors: unset CARELOOP_MQTT(S)_PORT=off.')
  const taken = await takenPorts(config)
  if (taken.length > 0) throw new NotTheDemo(taken.map(portTaken).join('\n'))
  if (process.argv.includes('--fresh')) forgetPlace(config)
  const place = openPlace(config)
  const log = makeWatch({ level: config.logLevel, destination: createWriteStream(place.logFile, { flags: 'a' }) })
  const hasPages = await pages()
  say('Starting the database and the server ...')
  const ends: (() => Promise<unknown>)[] = [mailbox.close]
  const close = async () => {
    say('\nStopping ...')
    while (ends.length > 0) await ends.pop()!()
    place.save()
  }
  endOnCrash(log, close)
  const platform = await startPlatform(config, log)
  ends.push(platform.close)
  endWithProcess({ close })
  say('Preparing organisations, people and devices ...')
  const addresses = addressesOf(platform)
  const people = await makePeople(platform.rooms, place, `${root}/programs`, Date.now())
  const parts: TroupeParts = {
    ...{ addresses, place, start: Date.now() },
    log: (what, device, more = {}) => log.log.info({ what, device, ...more }, 'simulator'),
  }
  const recordings = {
    pressure: bloodPressureRecording(shared, parts.start),
    refrigerator: refrigeratorRecording(shared, parts.start),
  }
  const tokens = await tokensToTry(platform, people, place)
  ends.push(tellOfTasks(platform.rooms, people, say))
  const open = await openTasks(platform.rooms, people)
  const { pressure, refrigerator } = recordings
  const sources = { pressure: pressure.source, refrigerator: refrigerator.source }
  say(welcome({ ...place, addresses, tokens, sources, hasPages }))
  if (open > 0) say(`${open} tasks are open from earlier runs.`)
  const troupe = await raise(platform, people, recordings, parts)
  ends.push(() => Promise.all(troupe.map((each) => each.stop())))
}

/** Local time minus UTC, ms. */
const zoneOffset = (at: number): number => -new Date(at).getTimezoneOffset() * 60_000

const say = (text: string): void => console.log(text)

async function pages(): Promise<boolean> {
  say('Building the pages, if they changed ...')
  return buildWeb().then(
    () => true,
    (error: unknown) => {
      say(`The pages could not be built; the rest works. ${error instanceof Error ? error.message.split('\n')[0] : ''}`)
      return false
    },
  )
}

function addressesOf({ http, doors }: Platform): Addresses {
  const of = (door: 'mqtt' | 'mqtts') => {
    const found = doors?.mqtt.addresses.find((each) => each.door === door)
    if (!found) throw new Error(`the door ${door} is not open`)
    return `${door}://${found.host}:${found.port}`
  }
  return { http: http!, mqtt: of('mqtt'), mqtts: of('mqtts') }
}

const cuff = (name: string, wornBy: string): DeviceCast => ({
  ...{ name, wornBy, profile: 'generic', classification: 'medical', credential: 'token' },
})

async function tokensToTry({ rooms }: Platform, people: People, place: Place) {
  const token = (name: string) => deviceToTry(rooms, people, place, cuff(name, name), Date.now())
  return { mqtt: await token('try-mqtt'), http: await token('try-http') }
}

/** All devices, those that tell recordings first: something is to happen soon. */
async function raise(
  { rooms }: Platform,
  people: People,
  recordings: { pressure: Recording; refrigerator: Recording },
  parts: TroupeParts,
): Promise<Troupe[]> {
  const enrol = (cast: DeviceCast) => enrolDevice(rooms, people, parts.place, cast, parts.start)
  const recorded = async (cast: DeviceCast, { recorded }: Recording, cut: number, pace: Pace) => {
    const credential = await enrol(cast)
    const speaker = await speakerFor(cast.name, credential, { protocol: 'mqtt', version: 4 }, parts.addresses)
    return replay(cast.name, speaker, planReplay(recorded, cut, parts.start, 6 * SECOND, pace), parts)
  }
  const { pressure, refrigerator } = recordings
  const probe: DeviceCast = { ...cuff('fridge-1-probe', 'fridge-1'), classification: 'operational' }
  const newest = ({ recorded }: Recording) => recorded.length - 1
  const lives = [
    recorded(
      cuff('cuff-home', 'home'),
      pressure,
      lastRaisedRun(pressure.recorded) ?? newest(pressure),
      bloodPressurePace,
    ),
    recorded(probe, refrigerator, excursionEnd(refrigerator.recorded) ?? newest(refrigerator), realPace),
    ...actsOf(parts.start, zoneOffset(parts.start), { ...parts.place.memory.toldUntil }).map(async (act) => {
      const { name, profile, classification } = act.device
      return perform(act, await enrol({ ...act, name, profile, classification }), parts)
    }),
  ]
  const troupe = await Promise.all(lives)
  parts.place.save()
  return troupe
}

main().catch((error: unknown) => {
  const isExpected = error instanceof Failure || error instanceof NotTheDemo
  console.error(isExpected ? error.message : error)
  process.exit(1)
})
