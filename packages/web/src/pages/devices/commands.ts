/** Lines to copy that send a first reading as a device: by mosquitto_pub and by curl. Pure. */
import type { DoorList, ProfileList } from '@careloop/contract'

type Door = DoorList['mqtt'][number]
type Profile = ProfileList['items'][number]

export interface Command {
  readonly title: string
  readonly text: string
}

/** `0.0.0.0` is every address of the server's machine: whoever reads this page reaches it by the page's own name. */
export const hostOf = ({ host }: Door, pageHost: string): string =>
  host === '0.0.0.0' || host === '::' || host === '' ? pageHost : host

/** Values that a healthy device might send first. */
const usual: Readonly<Record<string, number>> = {
  'temperature-probe': 4.6,
  'temperature-ambient': 21.4,
  systolic: 124,
  diastolic: 78,
  'pulse-rate': 68,
  'heart-rate': 68,
  spo2: 97,
  'body-weight': 72.4,
  glucose: 102,
}

const pressures = ['systolic', 'diastolic']

/**
 * One small message in JSON: a signal or two that the profile reads, with usual values.
 * @param isMedical of a profile that reads everything this says whether a pressure or a temperature is likely
 */
export function samplePayload(profile: Profile | undefined, isMedical: boolean): string {
  const known = profile?.signals.map(({ signal }) => signal).filter((code) => code in usual) ?? []
  const readsAll = profile === undefined || profile.code === 'generic'
  const likely = pressures.every((code) => known.includes(code)) ? pressures : known.slice(0, 1)
  const codes = readsAll || likely.length === 0 ? (isMedical ? pressures : ['temperature-probe']) : likely
  return JSON.stringify({ values: Object.fromEntries(codes.map((code) => [code, usual[code]!])) })
}

interface Asked {
  readonly name: string
  /** Shown once, when it was made; afterwards the lines name it as `<token of this device>`. */
  readonly token: string | undefined
  readonly doors: readonly Door[]
  /** Origin of the page, e.g. `http://127.0.0.1:8080`. */
  readonly origin: string
  readonly payload: string
}

export function commandsFor({ name, token, doors, origin, payload }: Asked): Command[] {
  const pageHost = new URL(origin).hostname
  const secret = token ?? '<token of this device>'
  const topic = `devices/${name}/telemetry`
  const plain = doors.find(({ door }) => door === 'mqtt')
  const tls = doors.find(({ door }) => door === 'mqtts')
  const mqtt = (door: Door, credential: string) =>
    `mosquitto_pub -h ${hostOf(door, pageHost)} -p ${door.port} ${credential} -q 1 \\\n  -t ${topic} -m '${payload}'`
  return [
    ...(plain === undefined
      ? []
      : [{ title: 'By MQTT, with a token', text: mqtt(plain, `-i ${name} -u ${name} -P '${secret}'`) }]),
    ...(tls === undefined
      ? []
      : [
          {
            title: 'By MQTT over TLS, with a certificate',
            text: mqtt(tls, `-i ${name} --cafile ${name}.ca.pem --cert ${name}.cert.pem --key ${name}.key.pem`),
          },
        ]),
    {
      title: 'By HTTP, with a token',
      text: `curl -sS ${origin}/api/v1/ingest -H 'Content-Type: application/json' \\\n  -H 'Authorization: Bearer ${secret}' \\\n  -d '${payload}'`,
    },
  ]
}
