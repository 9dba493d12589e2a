/** Where the demo lives: its data, its key beside them, its log, and what it must remember between runs. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DEMO_FILE } from '@careloop/platform'
import type { Credential } from '../speakers/speaker.ts'

/** What the devices and people of the demo would keep: their tokens, certificates and passwords. Readable by its owner only. */
export interface Memory {
  readonly passwords: Record<string, string>
  /** Secrets (base32) of the authenticator apps that administrators of the demo would have, by e-mail. */
  readonly secondFactors: Record<string, string>
  readonly credentials: Record<string, Credential>
  /** Until when each device has told what it measured, ms since epoch. */
  readonly toldUntil: Record<string, number>
}

export interface Place {
  readonly dataDir: string
  readonly masterKeyFile: string
  readonly logFile: string
  readonly memory: Memory
  save(): void
}

export class NotTheDemo extends Error {}

type Env = Readonly<Record<string, string | undefined>>

/**
 * The environment with the demo's own defaults: data apart from a real installation's, the key beside them, loopback only.
 * @param mailbox where mail goes, `smtp://...`; left out: none is sent
 */
export function demoEnvironment(env: Env, root: string, mailbox?: string): Env {
  const dataDir = env.CARELOOP_DATA || join(root, '.careloop', 'demo')
  return {
    ...env,
    CARELOOP_DATA: dataDir,
    CARELOOP_MASTER_KEY_FILE: env.CARELOOP_MASTER_KEY_FILE || ownKeyFile(dataDir),
    CARELOOP_MQTTS_HOST: env.CARELOOP_MQTTS_HOST || '127.0.0.1',
    CARELOOP_ROLE: 'all',
    // Mail of a demo goes to the demo, whatever mail server the shell is set up for.
    CARELOOP_SMTP_URL: mailbox,
    CARELOOP_MAIL_FROM: 'Careloop demo <careloop@demo.example>',
    // A demo never writes invented patients into somebody's database.
    DATABASE_URL: undefined,
  }
}

/** Beside the data, as the demo makes it. */
const ownKeyFile = (dataDir: string): string => `${dataDir.replace(/[/\\]+$/, '')}-master.key`

/**
 * Lets go of an earlier demo's data and key, for a fresh start; of a folder that is not the demo's nothing. A key that somebody named
 * stays: it may be that of a real installation, whose data nobody could read any more.
 */
export function forgetPlace({ dataDir, masterKeyFile }: { dataDir: string; masterKeyFile: string }): void {
  if (!existsSync(join(dataDir, DEMO_FILE))) return
  rmSync(dataDir, { recursive: true })
  // With its ledger of erasures, which another key could not read.
  if (resolve(masterKeyFile) === resolve(ownKeyFile(dataDir)))
    for (const file of [masterKeyFile, `${masterKeyFile}.erasures`]) rmSync(file, { force: true })
}

/** @throws NotTheDemo when the folder holds something that the demo did not make */
export function openPlace({ dataDir, masterKeyFile }: { dataDir: string; masterKeyFile: string }): Place {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, DEMO_FILE)
  const known = existsSync(file)
  if (!known && readdirSync(dataDir).length > 0)
    throw new NotTheDemo(
      `${dataDir} holds something that is not the demo's. Name another folder in CARELOOP_DATA, or leave it out.`,
    )
  const memory = known
    ? {
        secondFactors: {},
        ...(JSON.parse(readFileSync(file, 'utf8')) as Partial<Memory> & Omit<Memory, 'secondFactors'>),
      }
    : { passwords: {}, secondFactors: {}, credentials: {}, toldUntil: {} }
  const place: Place = {
    ...{ dataDir, masterKeyFile, logFile: join(dataDir, 'demo.log'), memory },
    save() {
      // Written beside and moved: a demo that is killed while it writes keeps the older one.
      const draft = `${file}.new`
      writeFileSync(draft, `${JSON.stringify(memory, null, 2)}\n`, { mode: 0o600 })
      chmodSync(draft, 0o600)
      renameSync(draft, file)
    },
  }
  place.save()
  return place
}
