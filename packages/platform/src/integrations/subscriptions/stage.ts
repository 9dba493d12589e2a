/** Subscriptions at work: one process makes events of facts; every worker talks to endpoints, many at a time and each in its own time. */
import { followAlone, type Stage } from '../../engine/index.ts'
import { type Begun, beginDelivery, deliver } from './deliver.ts'
import { forgetOldEvents } from './old-events.ts'
import type { SubscriptionParts } from './parts.ts'
import { watchSubscriptions } from './subscription-metrics.ts'
import { setTimer, subscriptionTimer } from './subscription-rows.ts'
import { subscriptionsCursor, takeEvents } from './take-events.ts'
import { eventFacts } from './topics.ts'

/** Conversations at a time in one process: an endpoint that says nothing holds one for seconds. */
const conversations = 64
/** When all are in use a notification waits so long before it asks again, ms. */
const busyMs = 250
const lookEveryMs = 3_600_000
/** At the end of the process what goes well may end; what hangs is tried again by another, ms. */
const graceMs = 5_000

export const subscriptionsStage = (parts: SubscriptionParts): Stage => ({
  name: 'subscriptions',
  async start(engine) {
    watchSubscriptions(engine)
    const stopTelling = workOnSubscriptions(parts)
    const stop = followAlone(engine, {
      ...{ name: subscriptionsCursor, facts: eventFacts, lookEveryMs },
      failed: 'events of subscriptions could not be written; trying again',
      take: () => takeNext(parts),
      look: () => forgetOldEvents(engine),
    })
    return async () => {
      await stop()
      await stopTelling()
    }
  },
})

/** Views are made of the same facts, a moment later or earlier: so long, ms. */
const aheadMs = 50

async function takeNext(parts: SubscriptionParts): Promise<boolean> {
  const taken = await takeEvents(parts)
  if (taken === 'ahead') await parts.engine.clock.sleep(aheadMs)
  return taken !== 'none'
}

/** The stop; a test waits by `idle` for what is under way, which says whether there was anything. */
export type Working = (() => Promise<void>) & { readonly idle: () => Promise<boolean> }

export function workOnSubscriptions(parts: SubscriptionParts): Working {
  const { engine } = parts
  const underWay = new Set<Promise<void>>()
  const send = (begun: Begun) => {
    const { kind: _, ...told } = begun
    const sending = deliver(parts, begun)
      .catch((err) =>
        engine.watch.log.warn({ err, ...told }, 'a notification was cut off; it is tried again in a minute'),
      )
      .finally(() => underWay.delete(sending))
    underWay.add(sending)
  }
  const stopTimers = engine.timers.work(subscriptionTimer, async (fired, tx) => {
    if (underWay.size >= conversations)
      return tx.asTenant(String(fired.ids.tenant), (own) =>
        setTimer(engine, own, fired.key, engine.clock.now() + busyMs),
      )
    const begun = await beginDelivery(parts, fired, tx)
    if (begun !== null) tx.afterCommit(() => send(begun))
  })
  const idle = async () => {
    const wasBusy = underWay.size > 0
    while (underWay.size > 0) await Promise.all(underWay)
    return wasBusy
  }
  const stop = async () => {
    await stopTimers()
    const late = new AbortController()
    await Promise.race([idle(), engine.clock.sleep(graceMs, late.signal)])
    late.abort()
  }
  return Object.assign(stop, { idle })
}
