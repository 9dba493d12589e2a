/** Virtual devices that speak the real protocols: pure models of what they measure, and speakers that say it. */
export { em300Th, fridgeProbe, ruuviTag } from './devices/environmental.ts'
export { withFaults } from './devices/faults.ts'
export {
  bedsideMonitor,
  bloodPressureCuff,
  glucoseMeter,
  glucoseMonitor,
  pulseOximeter,
  scale,
  thermometer,
} from './devices/personal.ts'
export {
  momentsOf,
  nextMoment,
  type Said,
  tellings,
  type Utterance,
  type VirtualDevice,
} from './devices/virtual-device.ts'
export { type Life, type LifeParts, realTime, runDevice } from './run-device.ts'
export type { Incident, IncidentKind } from './signals/incident.ts'
export { aPerson, type Person } from './signals/person.ts'
export { aRefrigerator, type Refrigerator } from './signals/refrigerator.ts'
export { type HttpSpeakerOptions, httpSpeaker } from './speakers/http-speaker.ts'
export { type MqttSpeakerOptions, mqttSpeaker } from './speakers/mqtt-speaker.ts'
export type { Answer, Credential, Speaker } from './speakers/speaker.ts'
