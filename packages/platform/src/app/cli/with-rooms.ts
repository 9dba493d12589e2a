/** For commands: the rooms on the database of the server that runs here, or of a stopped one that is started for the while. */
import type { z } from 'zod'
import { makeWatch, openEngine } from '../../engine/index.ts'
import type { By } from '../../subjects/index.ts'
import { byConsole } from '../../subjects/index.ts'
import type { Config } from '../config.ts'
import { appFailure } from '../errors.ts'
import type { Options } from '../main.ts'
import { assertMasterFits } from '../master-fits.ts'
import { openDatabase } from '../open-database.ts'
import { openMasters } from '../open-masters.ts'
import { openRooms, type Rooms } from '../rooms.ts'
import { findRunning } from '../running.ts'

export async function withRooms<T>(config: Config, fn: (rooms: Rooms) => Promise<T>): Promise<T> {
  const watch = makeWatch({ level: 'warn' })
  const master = await openMasters(config)
  for (const notice of master.notices) console.error(notice)
  const running = config.databaseUrl ? undefined : findRunning(config.dataDir)
  const database = running ? { url: running.url, close: async () => {} } : await openDatabase(config, watch)
  const opened = openEngine({
    url: database.url,
    masters: master.keys,
    dataDir: config.dataDir,
    watch,
    maxConnections: 4,
  })
  try {
    await assertMasterFits(opened.engine.db.pool, master.keys)
    return await fn(
      await openRooms(opened.engine, {
        secureCookies: false,
        erasureLedgerFile: config.erasureLedgerFile,
      }),
    )
  } finally {
    await opened.close()
    await database.close()
  }
}

/** The organisation a command works for: the one there is, or the one that `--tenant` names. */
export async function tenantOf(rooms: Rooms, options: Options): Promise<By> {
  if (typeof options.tenant === 'string') return byConsole(await rooms.identity.findTenant(options.tenant))
  const tenants = await rooms.engine.db.tenants()
  if (tenants.length === 1) return byConsole(tenants[0]!)
  throw appFailure(
    'usage',
    tenants.length === 0
      ? 'There is no organisation yet. Make one: careloop tenant create NAME'
      : 'There are several organisations. Say which: --tenant NAME',
  )
}

/** @throws Failure `usage` when the option is missing */
export function need(options: Options, name: string): string {
  const value = options[name]
  if (typeof value === 'string' && value !== '') return value
  throw appFailure('usage', `--${name} is missing. See: careloop help`)
}

/** An option's value by the contract's own form, before anything is written. @throws Failure `usage` that names the option */
export function checked<S extends z.ZodType>(schema: S, value: unknown, option: string): z.output<S> {
  const { data, error } = schema.safeParse(value)
  if (!error) return data
  const said = error.issues.map((issue) => issue.message).join(' ')
  throw appFailure('usage', `--${option}: ${said}`, { pointer: `/options/${option}` })
}

/** Words separated by commas. */
export const listed = (text: string): string[] => text.split(',').map((word) => word.trim())
