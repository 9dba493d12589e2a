/** `npm run demo:code`: what the authenticator apps of the demo's administrators show now. The demo itself may run meanwhile. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { currentCode } from '@careloop/platform'
import { demoEnvironment, type Memory } from './demo/place.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const file = join(demoEnvironment(process.env, root).CARELOOP_DATA!, 'demo.json')
if (existsSync(file)) {
  const { secondFactors = {} } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Memory>
  for (const [email, secret] of Object.entries(secondFactors))
    console.log(
      `${email.padEnd(28)} ${currentCode(secret, Date.now())}   (each code is good once; the next comes within 30 s)`,
    )
} else console.log('There is no demo yet. Start it: npm run demo')
