/** Load beyond the demo: `node packages/simulator/src/main.ts --help`. */
import { parseArgs } from 'node:util'
import { apiOf, enrolOverApi, Refused } from './load/enrol.ts'
import { type Kind, kinds, memberOf } from './load/fleet.ts'
import { makeTally, type Tally } from './load/tally.ts'
import { type Life, realTime, runDevice } from './run-device.ts'
import { httpSpeaker } from './speakers/http-speaker.ts'
import { mqttSpeaker } from './speakers/mqtt-speaker.ts'
import type { Speaker } from './speakers/speaker.ts'

const USAGE = `simulator: virtual devices that speak to a running Careloop

  node packages/simulator/src/main.ts --devices 50 --url http://127.0.0.1:8080

  --devices N     how many (default 10)
  --url URL       the server's pages and API (default http://127.0.0.1:8080)
  --mqtt URL      its MQTT door (default mqtt://127.0.0.1:1883)
  --door D        mqtt or http (default mqtt)
  --kinds K,...   of ${kinds.join(', ')} (default monitor,oximeter,cuff,fridge)
  --every MS      ms between two messages of one device (default 1000)
  --seconds S     how long; without it until Ctrl-C

Devices are enrolled with a service token, in the environment variable CARELOOP_TOKEN:
  npm run careloop -- token create --service simulator --scopes subject:create,device:create,assignment:create,credential:create --own
Numbers are counted here, by what was acknowledged; for figures that are proved see bench/.`

interface Wish {
  readonly devices: number
  readonly url: string
  readonly mqtt: string
  readonly door: 'mqtt' | 'http'
  readonly kinds: readonly Kind[]
  readonly everyMs: number
  readonly seconds: number
  readonly serviceToken: string
}

class Usage extends Error {}

function read(args: string[], env: NodeJS.ProcessEnv): Wish {
  const text = { type: 'string' } as const
  const options = { devices: text, url: text, mqtt: text, door: text, kinds: text, every: text, seconds: text }
  const { values } = parseArgs({ args, options: { ...options, help: { type: 'boolean' } } })
  if (values.help) throw new Usage(USAGE)
  const number = (name: 'devices' | 'every' | 'seconds', otherwise: number) => {
    const value = values[name] === undefined ? otherwise : Number(values[name])
    if (value > 0) return value
    throw new Usage(`--${name}: a number above 0 is expected.`)
  }
  const chosen = (values.kinds ?? 'monitor,oximeter,cuff,fridge').split(',')
  const known = chosen.filter((kind): kind is Kind => (kinds as readonly string[]).includes(kind))
  if (known.length < chosen.length) throw new Usage(`--kinds: of ${kinds.join(', ')}.`)
  const door = values.door ?? 'mqtt'
  if (door !== 'mqtt' && door !== 'http') throw new Usage('--door: mqtt or http.')
  if (!env.CARELOOP_TOKEN) throw new Usage(`CARELOOP_TOKEN is missing.\n\n${USAGE}`)
  return {
    devices: Math.floor(number('devices', 10)),
    url: values.url ?? 'http://127.0.0.1:8080',
    mqtt: values.mqtt ?? 'mqtt://127.0.0.1:1883',
    ...{ door, kinds: known, everyMs: number('every', 1000), seconds: number('seconds', Number.POSITIVE_INFINITY) },
    serviceToken: env.CARELOOP_TOKEN,
  }
}

async function main(): Promise<void> {
  const wish = read(process.argv.slice(2), process.env)
  const run = Date.now().toString(36)
  const tally = makeTally()
  const lives: Life[] = []
  const speakers: Speaker[] = []
  const api = apiOf(wish.url, wish.serviceToken)
  for (let n = 0; n < wish.devices; n++) {
    const { device, subject } = memberOf(run, wish.kinds[n % wish.kinds.length]!, n, wish.everyMs)
    const { name, token } = await enrolOverApi(api, { ...device, subject })
    const speaker = await speakerOf(wish, name, token)
    speakers.push(speaker)
    const failed = () => void tally.failed++
    lives.push(runDevice(device, speaker, { ...realTime, answered: tally.took.bind(tally), failed }))
  }
  console.log(`${lives.length} devices, each every ${wish.everyMs} ms by ${wish.door}`)
  const showing = setInterval(() => show(tally), 5000)
  await until(wish.seconds)
  clearInterval(showing)
  await Promise.all(lives.map((life) => life.stop()))
  await Promise.all(speakers.map((speaker) => speaker.close()))
  show(tally)
}

const speakerOf = async ({ door, url, mqtt }: Wish, device: string, token: string): Promise<Speaker> =>
  door === 'http'
    ? httpSpeaker({ url, device, token })
    : mqttSpeaker({ url: mqtt, device, credential: { kind: 'token', token }, protocolVersion: 5, reconnects: true })

const until = (seconds: number): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
    if (Number.isFinite(seconds)) setTimeout(resolve, seconds * 1000)
    else setInterval(() => {}, 1 << 30).unref()
  })

function show(tally: Tally): void {
  const { acknowledged, refused, failed, reasons } = tally
  const why = [...reasons].map(([reason, count]) => `${count} x ${reason}`).join(', ')
  const times = `p50 ${tally.percentile(0.5)} ms, p99 ${tally.percentile(0.99)} ms`
  console.log(`acknowledged ${acknowledged}, refused ${refused}${why && ` (${why})`}, failed ${failed}; ${times}`)
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    const isExpected = error instanceof Usage || error instanceof Refused
    console.error(isExpected || (error as { code?: string }).code === 'ECONNREFUSED' ? (error as Error).message : error)
    process.exit(1)
  },
)
