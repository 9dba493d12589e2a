/** What a device tells of itself that rules can judge: its battery, as readings of the battery signals. */
import { type DeviceReported, isPlausible, type LoggedReading } from '@careloop/contract'

/** Names as devices and gateways on the market write them (Zigbee2MQTT, Tasmota, BTHome, ChirpStack), without case and separators. */
const signalOfName: Readonly<Record<string, string>> = {
  battery: 'battery-level',
  batterylevel: 'battery-level',
  batterypercent: 'battery-level',
  batterypercentage: 'battery-level',
  batteryvoltage: 'battery-voltage',
  batterylow: 'battery-low',
  lowbattery: 'battery-low',
  batterycharging: 'battery-charging',
}

/** Readings of one report; a value that cannot be (a battery of 3,000 in millivolts) is none. */
export function readingsOfReport({ attributes, receivedAt }: DeviceReported): LoggedReading[] {
  const readings: LoggedReading[] = []
  for (const [name, value] of Object.entries(attributes)) {
    const signal = signalOfName[name.toLowerCase().replace(/[^a-z]/g, '')]
    const number = typeof value === 'boolean' ? Number(value) : value
    if (signal === undefined || typeof number !== 'number' || !isPlausible(signal, number)) continue
    if (readings.some((reading) => reading.signal === signal)) continue
    readings.push({ signal, value: number, measuredAt: receivedAt, ordinal: 0 })
  }
  return readings
}
