/** Devices for tests of this and later rooms. */
import { NewDevice, type NewDeviceInput } from '@careloop/contract'
import { profile } from '@careloop/profiles'
import type { Engine } from '../engine/index.ts'
import type { By } from '../subjects/index.ts'
import { type Fleet, type FleetParts, makeFleet } from './fleet.ts'

let numbers = 1

/** A home blood-pressure cuff, with a serial number that must never be found in plain. */
export const aDevice = (over: Partial<NewDeviceInput> = {}): NewDevice =>
  NewDevice.parse({ name: `cuff-${numbers++}`, classification: 'medical', serial: 'SER-99-QX7', ...over })

export interface EnrolledDevice {
  readonly device: string
  readonly token: string
  readonly credential: string
}

/** A device with a token, as `careloop device enroll` and `careloop token create` make it. */
export async function enrolled(fleet: Fleet, by: By, over: Partial<NewDeviceInput> = {}): Promise<EnrolledDevice> {
  const device = (await fleet.enrolDevice(by, aDevice(over))).id
  const { token, credential } = await fleet.createDeviceToken(by, device, {})
  return { device, token, credential }
}

/** The room for a test; without an authority unless one is given. */
export const testFleet = (engine: Engine, parts: Partial<FleetParts> = {}): Fleet =>
  makeFleet(engine, {
    knowsProfile: (code) => profile(code) !== undefined,
    issueCertificate: () => Promise.reject(new Error('there is no authority in this test')),
    verifyCertificate: () => {
      throw new Error('there is no authority in this test')
    },
    ...parts,
  })
