/** A fleet for load: devices of several kinds, told apart by their number, each with a model of its own. */
import { em300Th, fridgeProbe, ruuviTag } from '../devices/environmental.ts'
import { bedsideMonitor, bloodPressureCuff, glucoseMonitor, pulseOximeter } from '../devices/personal.ts'
import type { VirtualDevice } from '../devices/virtual-device.ts'
import { aPerson } from '../signals/person.ts'
import { aRefrigerator } from '../signals/refrigerator.ts'
import type { Wanted } from './enrol.ts'

export const kinds = ['monitor', 'oximeter', 'cuff', 'cgm', 'fridge', 'ruuvi', 'em300'] as const
export type Kind = (typeof kinds)[number]

export interface Member {
  readonly device: VirtualDevice
  readonly subject: Wanted['subject']
}

/** @param everyMs between two messages of one device */
export function memberOf(run: string, kind: Kind, number: number, everyMs: number): Member {
  const name = `sim-${run}-${kind}-${number}`
  const options = { name, everyMs }
  const patient = (device: VirtualDevice): Member => ({ device, subject: 'patient' })
  const asset = (device: VirtualDevice): Member => ({ device, subject: 'asset' })
  switch (kind) {
    case 'monitor':
      return patient(bedsideMonitor(aPerson(name), options))
    case 'oximeter':
      return patient(pulseOximeter(aPerson(name), options))
    case 'cuff':
      return patient(bloodPressureCuff(aPerson(name), options))
    case 'cgm':
      return patient(glucoseMonitor(aPerson(name), options))
    case 'fridge':
      return asset(fridgeProbe(aRefrigerator(name), options))
    case 'ruuvi':
      return asset(ruuviTag(aRefrigerator(name), options))
    case 'em300':
      return asset(em300Th(aRefrigerator(name), options))
  }
}
