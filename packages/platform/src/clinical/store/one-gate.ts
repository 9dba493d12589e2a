/**
 * One gate a request: it is opened before its transactions, because opening reads by a connection of its own, and transactions that
 * each waited for another connection would wait for ever.
 */
import type { By, Consents, Gate } from '../../subjects/index.ts'

export function oneGate(consents: Consents): Consents {
  const opened = new WeakMap<object, { readonly requestId: string; readonly gate: Promise<Gate> }>()
  return {
    ...consents,
    gate(by: By, purpose) {
      const { who, requestId } = by
      // Without a request (streams, tests) nobody knows how long it may stand: it is opened anew.
      if (who === undefined || requestId === undefined || purpose !== undefined) return consents.gate(by, purpose)
      const before = opened.get(who)
      if (before?.requestId === requestId) return before.gate
      const gate = consents.gate(by)
      gate.catch(() => opened.delete(who))
      opened.set(who, { requestId, gate })
      return gate
    },
  }
}
