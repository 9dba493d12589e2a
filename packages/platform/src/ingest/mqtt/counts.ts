/** What operators read of the door. Plain numbers on the hot path, handed to prom-client when it is scraped. */
import { Counter, Gauge, type Registry } from 'prom-client'

export type PublishOutcome =
  | 'stored'
  | 'duplicate'
  | 'quarantined'
  | 'set-aside' // on a topic that is not the device's: in quarantine
  | 'refused' // overload or storage: not stored, and the client knows or was sent away
  | 'refused-qos0' // the same for QoS 0, where nobody can be told: lost
  | 'failed'

export class Counts {
  connections = 0
  bufferedBytes = 0
  paused = 0
  /** Delayed wills that were said early because their device had left too many. */
  willsCutShort = 0
  readonly publishes = new Map<PublishOutcome, number>()
  readonly connects = new Map<string, number>()
  readonly closings = new Map<string, number>()
  readonly settings = new Map<string, number>()

  published(outcome: PublishOutcome): void {
    this.publishes.set(outcome, (this.publishes.get(outcome) ?? 0) + 1)
  }

  /** @param outcome `accepted`, `resumed` or why CONNECT was refused */
  connected(outcome: string): void {
    this.connects.set(outcome, (this.connects.get(outcome) ?? 0) + 1)
  }

  closed(why: string): void {
    this.closings.set(why, (this.closings.get(why) ?? 0) + 1)
  }

  settingsSent(outcome: 'sent' | 'resent' | 'acknowledged' | 'refused-by-device' | 'too-large-for-device'): void {
    this.settings.set(outcome, (this.settings.get(outcome) ?? 0) + 1)
  }
}

/** Shows the counts in the registry. @returns the stop, which takes the metrics out again */
export function exposeCounts(counts: Counts, registry: Registry): () => void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  const counter = (name: string, help: string, label: string, read: ReadonlyMap<string, number>) =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset()
        for (const [key, value] of read) this.inc({ [label]: key }, value)
      },
    })
  const names = [
    'connections',
    'buffered_bytes',
    'paused',
    'publishes_total',
    'connects_total',
    'closings_total',
    'wills_cut_short',
  ]
  gauge('careloop_mqtt_connections', 'Open MQTT connections of devices', () => counts.connections)
  gauge('careloop_mqtt_buffered_bytes', 'Bytes of partly read MQTT packets', () => counts.bufferedBytes)
  gauge('careloop_mqtt_paused', 'MQTT connections not read now because the log is full', () => counts.paused)
  gauge(
    'careloop_mqtt_wills_cut_short',
    'Delayed wills said early: their device had left too many',
    () => counts.willsCutShort,
  )
  counter('careloop_mqtt_publishes_total', 'PUBLISH packets by what became of them', 'outcome', counts.publishes)
  counter('careloop_mqtt_connects_total', 'CONNECT packets by what became of them', 'outcome', counts.connects)
  counter('careloop_mqtt_closings_total', 'Connections ended, by reason', 'reason', counts.closings)
  counter('careloop_mqtt_settings_total', 'Settings sent to devices', 'outcome', counts.settings)
  return () => {
    for (const name of [...names, 'settings_total']) registry.removeSingleMetric(`careloop_mqtt_${name}`)
  }
}
