import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { demoEnvironment, forgetPlace, NotTheDemo, openPlace } from './place.ts'

const home = mkdtempSync(join(tmpdir(), 'demo-place-'))
const demoConfig = (env: Record<string, string>) => {
  const { CARELOOP_DATA, CARELOOP_MASTER_KEY_FILE } = demoEnvironment(env, home)
  return { dataDir: CARELOOP_DATA!, masterKeyFile: CARELOOP_MASTER_KEY_FILE! }
}
afterAll(() => rmSync(home, { recursive: true, force: true }))

it('demo > never writes into a database or a folder of somebody else, nor through their mail server', () => {
  const env = demoEnvironment(
    { DATABASE_URL: 'postgres://somebody@elsewhere/real', CARELOOP_SMTP_URL: 'smtp://mail.hospital.example' },
    home,
  )
  expect(env).toMatchObject({ CARELOOP_DATA: join(home, '.careloop', 'demo'), CARELOOP_MQTTS_HOST: '127.0.0.1' })
  expect(env.DATABASE_URL).toBeUndefined()
  expect(env.CARELOOP_SMTP_URL).toBeUndefined()

  const foreign = join(home, 'real')
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'something'), '')
  expect(() => openPlace({ dataDir: foreign, masterKeyFile: join(home, 'key') })).toThrow(NotTheDemo)
})

it('demo > a fresh start lets go of an earlier demo, and of nobody else’s folder', () => {
  const masterKeyFile = join(home, 'old-master.key')
  const old = { dataDir: join(home, 'old'), masterKeyFile }
  openPlace(old)
  writeFileSync(masterKeyFile, '')
  forgetPlace(old)
  expect([existsSync(old.dataDir), existsSync(masterKeyFile)]).toEqual([false, false])

  // The shell may be set up for a real installation: its key is not the demo's to throw away.
  const realKey = join(home, 'real-master.key')
  writeFileSync(realKey, '')
  openPlace(old)
  forgetPlace(demoConfig({ CARELOOP_DATA: old.dataDir, CARELOOP_MASTER_KEY_FILE: realKey }))
  expect([existsSync(old.dataDir), existsSync(realKey)]).toEqual([false, true])

  const foreign = join(home, 'foreign')
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'something'), '')
  forgetPlace({ dataDir: foreign, masterKeyFile: join(foreign, 'something') })
  expect(existsSync(join(foreign, 'something'))).toBe(true)
})

it('demo > remembers what devices and people would hold, for its owner only', () => {
  const dataDir = join(home, 'demo')
  const place = openPlace({ dataDir, masterKeyFile: join(home, 'key') })
  place.memory.passwords['nurse@clinic.example'] = 'four-words-and-a-number'
  place.save()
  expect(statSync(join(dataDir, 'demo.json')).mode & 0o077).toBe(0)
  expect(openPlace({ dataDir, masterKeyFile: join(home, 'key') }).memory).toEqual(place.memory)
})
