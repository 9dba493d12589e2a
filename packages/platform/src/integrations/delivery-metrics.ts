/** What operators read of deliveries. */
import { Counter, Histogram, type Registry } from 'prom-client'

export const attemptsTotal = (registry: Registry): Counter => {
  const name = 'careloop_integrations_delivery_attempts_total'
  const help = 'Attempts to give a notification to the mail server, by how they ended; unknown may have arrived'
  return (
    (registry.getSingleMetric(name) as Counter | undefined) ??
    new Counter({ name, help, labelNames: ['outcome'], registers: [registry] })
  )
}

export const repeatsTotal = (registry: Registry): Counter => {
  const name = 'careloop_integrations_delivery_repeats_total'
  const help = 'Notifications sent again although the mail server may have had them: after a crash or a lost answer'
  return (registry.getSingleMetric(name) as Counter | undefined) ?? new Counter({ name, help, registers: [registry] })
}

/** From the intent to the mail server's answer. */
export const deliverySeconds = (registry: Registry): Histogram => {
  const name = 'careloop_integrations_delivery_seconds'
  const help = 'From the decision to notify until the mail server took the message'
  const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]
  return (
    (registry.getSingleMetric(name) as Histogram | undefined) ??
    new Histogram({ name, help, buckets, registers: [registry] })
  )
}
