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
  Data             ${scene.dataDir}
  Log              ${scene.logFile}

People and their passwords (of this demo folder only)
${people.join('\n')}
${secondFactors(memory)}

Where to look first
  1. Open ${addresses.http} and sign in as nurse@clinic.example.${scene.hasPages ? '' : ' (The pages are not built: npm run build -w packages/web)'}
     Within half a minute the worklist shows "Sample, Cosmo", 190/124 mmHg, sent by a cuff over MQTT with a certificate.
     Claim the task, read why it is there, close it with what was done.
  2. "Sample, Holly": three high measurements in a row after six weeks of history.
     (${scene.sources.pressure})
  3. Sign in as facilities@pharmacy.example in another browser window: Vaccine refrigerator 1 is too warm.
     (${scene.sources.refrigerator})

Try it yourself: a very high blood pressure, from your own hands
  of "Tryout, Mattie", by MQTT:
${mosquitto(mqtt, ['-u try-mqtt', `-P ${scene.tokens.mqtt}`], 'devices/try-mqtt/telemetry', '{"values":{"systolic":192,"diastolic":123}}')}

  the same as firmware made for ThingsBoard says it (the token is the user name):
${mosquitto(mqtt, [`-u ${scene.tokens.mqtt}`], 'v1/devices/me/telemetry', '{"systolic":192,"diastolic":123}')}

  of "Tryout, Hattie", by HTTP:
    curl -sS ${addresses.http}/api/v1/ingest -H 'Content-Type: application/json' \\
      -H 'Authorization: Bearer ${scene.tokens.http}' \\
      -d '{"values":{"systolic":188,"diastolic":121}}'

  A second high measurement adds to the task that is open. 120/75 clears the condition; the task stays until somebody closes it.

Stop with Ctrl-C. The next run goes on with the same data; for a fresh start delete ${scene.dataDir}.
`
}

/** Administrators sign in by password and code. The others need nothing of it. */
function secondFactors({ secondFactors: secrets }: Memory): string {
  const lines = Object.entries(secrets).map(([email, secret]) => `  ${email.padEnd(28)} ${secret}`)
  if (lines.length === 0) return ''
  return `Administrators also give a code: add the secret to an authenticator app, or: npm run demo:code\n${lines.join('\n')}`
}

const mosquitto = ({ hostname, port }: URL, credential: readonly string[], topic: string, payload: string): string =>
  `    mosquitto_pub -h ${hostname} -p ${port} ${credential.join(' ')} -q 1 \\
      -t ${topic} -m '${payload}'`

export const portTaken = ({ port, what, variable }: { port: number; what: string; variable: string }): string =>
  `Port ${port} (${what}) is taken. Stop the program that has it, or choose another: ${variable}=${port + 10_000} npm run demo`
