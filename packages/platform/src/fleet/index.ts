/** Fleet: devices, their credentials, who wears them, what they are told. Owns device, gateway, device_credential, claim_code, assignment, device_status. */
export { attributionFence, type Correction, currentHistory, type SupersededSpan } from './assignments.ts'
export { type Attribution, type DeviceZones, makeAttribution } from './attribution.ts'
export {
  caErrors,
  ensureCa,
  issueDeviceCertificate,
  keepServerCertificate,
  type ServerCertificate,
  verifyDeviceCertificate,
} from './ca/index.ts'
export type { IssueCertificate } from './certificates.ts'
export {
  type AssignmentSource,
  type DeviceSource,
  deviceAddressed,
  deviceIdsAfter,
  deviceIdsAmong,
  deviceSources,
  devicesReported,
} from './device-sources.ts'
export { lockDevice } from './devices.ts'
export type { ListedDevice } from './directory.ts'
export { fleetErrors } from './errors.ts'
export { type Fleet, type FleetParts, makeFleet } from './fleet.ts'
export { forgetWearer } from './forget-wearer.ts'
export { spanAt } from './history.ts'
export { renewAt, renewalText } from './own-credential.ts'
export { type Probe, probesOf } from './probes.ts'
export { type RadioIdentity, type ReadRadio, radioReader } from './radio-identity.ts'
export { tellSuspicion } from './suspicion.ts'
export { type WornDevice, wornDevices } from './worn-devices.ts'
