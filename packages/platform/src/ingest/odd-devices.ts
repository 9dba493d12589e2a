/**
 * What is odd about how devices come to the doors of this process, counted in memory and told once it adds up: one wrong token is a
 * typing mistake, five in ten minutes are not. What became of it is `tellSuspicion`'s affair.
 */
import type { DeviceOddity } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { type Attribution, tellSuspicion } from '../fleet/index.ts'

export interface OddDevices {
  /** A credential was refused under this user name. */
  refused(username: string | undefined): void
  /** One connection of the device threw out another. */
  takenOver(tenant: string, device: string): void
  /** It happened, and once is enough. */
  happened(tenant: string, device: string, reason: DeviceOddity): void
}

const WINDOW_MS = 10 * 60_000
const timesUntilOdd = 5
/** More than this many at once is an attack on this very memory: then counting begins anew. */
const maxCounted = 20_000
/** The database is asked whether it was told already; so often at most for one device and reason. */
const askAgainMs = 3_600_000

/** A device's name or id; anything else (a token in the wrong field) is kept nowhere. */
const NAME = /^[A-Za-z0-9._-]{1,64}$/

export function makeOddDevices(engine: Engine, attribution: Pick<Attribution, 'calledAnywhere'>): OddDevices {
  const counts = new Map<string, { since: number; times: number }>()
  const told = new Map<string, number>()

  const tell = (tenant: string, device: string, reason: DeviceOddity) => {
    const now = engine.clock.now()
    const key = `${device} ${reason}`
    if (now - (told.get(key) ?? Number.NEGATIVE_INFINITY) < askAgainMs) return
    if (told.size >= maxCounted) told.clear()
    told.set(key, now)
    engine.db
      .asTenant(tenant, (tx) => tellSuspicion(engine, tx, { device, reason }))
      .catch((err: unknown) => {
        told.delete(key)
        engine.watch.log.warn(
          { err, device, reason },
          'what is odd about a device could not be told; it is tried again',
        )
      })
  }

  const isOften = (key: string): boolean => {
    const now = engine.clock.now()
    const known = counts.get(key)
    if (known === undefined || now - known.since >= WINDOW_MS) {
      if (counts.size >= maxCounted) counts.clear()
      counts.set(key, { since: now, times: 1 })
      return false
    }
    known.times += 1
    return known.times >= timesUntilOdd
  }

  return {
    refused(username) {
      if (username === undefined || !NAME.test(username) || !isOften(`refused ${username}`)) return
      attribution
        .calledAnywhere(username)
        .then((devices) => {
          for (const { tenant, device } of devices) tell(tenant, device, 'failed-authentication')
        })
        // Whoever tries again is counted again.
        .catch((err: unknown) =>
          engine.watch.log.warn({ err }, 'whose name a wrong token came under could not be found'),
        )
    },
    takenOver(tenant, device) {
      if (isOften(`taken over ${device}`)) tell(tenant, device, 'taken-over-again-and-again')
    },
    happened: tell,
  }
}
