/** What the demo says on the terminal. */
import { organisations, staff } from './cast.ts'
import type { Memory } from './place.ts'
import type { Addresses } from './troupe.ts'

export interface Scene {
  readonly addresses: Addresses
  readonly memory: Memory
  readonly dataDir: string
  readonly logFile: string
  readonly sources: { readonly pressure: string; readonly refrigerator: string }
  readonly tokens: { readonly mqtt: string; readonly http: string }
  readonly hasPages: boolean
}

export function welcome(scene: Scene): string {
  const { addresses, memory } = scene
  const mqtt = new URL(addresses.mqtt)
  const people = staff.map(
    ({ email, title, organisation }) =>
      `  ${email.padEnd(28)} ${memory.passwords[email]!.padEnd(34)} ${title}, ${organisations[organisation]}`,
  )
  return `
Careloop demo. Everybody in it is invented; it is not for use with patients.

  Pages            ${addresses.http}
  MQTT             ${mqtt.host}   device tokens
  MQTT over TLS    ${new URL(addresses.mqtts).host}   client certificates
  Mail             told here, a line each; nothing leaves this machine
  Data             ${scene.dataDir}
  Log              ${scene.logFile}

People and their passwords (of this demo folder only)
${people.join('\n')}
${secondFactors(memory)}

Where to look first
  1. Open ${addresses.http} and sign in as nurse@clinic.example.${scene.hasPages ? '' : ' (The pages are not built: npm run build -w packages/web)'}
     Within half a minute the worklist shows "Sample, Cosmo", 190/124 mmHg, sent by a cuff over MQTT with a certificate:
     measured two minutes ago and again now. "First minute" above the page says what to do, and ticks as you do it.
  2. Sign in as facilities@pharmacy.example in another browser or a private window: refrigerator 1 is too warm, the door
     of refrigerator 2 stands open, the battery of refrigerator 4's probe is low.
     (${scene.sources.refrigerator})
  3. "Sample, Holly": three high measurements in a row after six weeks of history.
     (${scene.sources.pressure})

Try it yourself: a very high blood pressure, from your own hands. It takes a repeat within 1 to 5 minutes, so each line tells
a measurement of two minutes ago and one of now.
  Of "Tryout, Mattie", by MQTT:
${mosquitto(mqtt, ['-u try-mqtt', `-P ${scene.tokens.mqtt}`], 'devices/try-mqtt/telemetry', twice(192, 123))}

  The same as firmware made for ThingsBoard says it (the token is the user name):
${mosquitto(mqtt, [`-u ${scene.tokens.mqtt}`], 'v1/devices/me/telemetry', twice(192, 123))}

  Of "Tryout, Hattie", by HTTP:
    curl -sS ${addresses.http}/api/v1/ingest -H 'Content-Type: application/json' \\
      -H 'Authorization: Bearer ${scene.tokens.http}' \\
      -d '${twice(188, 121)}'

  What you send again adds to the task that is open. 120/75 clears the condition; the task stays until somebody closes it.

Stop with Ctrl-C. The next run goes on with the same data; npm run demo -- --fresh begins anew.
`
}

/** Two measurements in the JSON of our doors: `'...'` ends and begins again so that the shell reckons the time, in seconds. */
const twice = (systolic: number, diastolic: number): string => {
  const of = (higher: number) => `"values":{"systolic":${systolic + higher},"diastolic":${diastolic}}`
  return `[{"ts":'$(($(date +%s)-120))'000,${of(0)}},{${of(1)}}]`
}

/** Who changes rules, devices or people signs in by password and code. The others need nothing of it. */
function secondFactors({ secondFactors: secrets }: Memory): string {
  const lines = Object.entries(secrets).map(([email, secret]) => `  ${email.padEnd(28)} ${secret}`)
  if (lines.length === 0) return ''
  return `These also give a code: add the secret to an authenticator app, or: npm run demo:code\n${lines.join('\n')}`
}

const mosquitto = ({ hostname, port }: URL, credential: readonly string[], topic: string, payload: string): string =>
  `    mosquitto_pub -h ${hostname} -p ${port} ${credential.join(' ')} -q 1 \\
      -t ${topic} -m '${payload}'`

export const portTaken = ({ port, what, variable }: { port: number; what: string; variable: string }): string =>
  `Port ${port} (${what}) is taken. Stop the program that has it, or choose another: ${variable}=${port + 10_000} npm run demo`
