/** The fleet room as other rooms, the CLI and `app` hold it. */
import type {
  AssignmentHistory,
  AssignmentSpan,
  ClaimCodeMade,
  ClaimCodeView,
  CredentialView,
  DeviceCertificateIssued,
  DeviceClaim,
  DeviceClaimed,
  DeviceListQuery,
  DeviceRenewal,
  DeviceRenewed,
  DeviceSettings,
  DeviceTokenIssued,
  DeviceUpdate,
  DeviceView,
  EpochMs,
  GatewayView,
  NewClaimCode,
  NewDevice,
  NewDeviceCertificate,
  NewDeviceToken,
  NewGateway,
  SettingsView,
} from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import type { By } from '../subjects/index.ts'
import { assign, assignmentHistory, type Correction, correctAssignment, unassign, whoWears } from './assignments.ts'
import { type Attribution, makeAttribution } from './attribution.ts'
import { issueFor } from './certificates.ts'
import { listClaimCodes, makeClaimCode, voidClaimCode } from './claim-codes.ts'
import { createDeviceToken, listCredentials, revokeCredential } from './credentials.ts'
import { enrolDevice, type KnowsProfile, listDevices, readDevice, updateDevice } from './devices.ts'
import { enrolGateway, listGateways } from './gateways.ts'
import { claimDevice, type OwnCredentialParts, renewCertificate } from './own-credential.ts'
import { setSettings, settingsOf } from './settings.ts'

export interface Fleet {
  enrolDevice(by: By, wanted: NewDevice): Promise<DeviceView>
  updateDevice(by: By, id: string, wanted: DeviceUpdate): Promise<DeviceView>
  device(by: By, id: string): Promise<DeviceView>
  listDevices(by: By, filter: DeviceListQuery): Promise<{ items: DeviceView[]; next: string | null }>
  /** The token is shown this once. */
  createDeviceToken(by: By, device: string, wanted: NewDeviceToken): Promise<DeviceTokenIssued>
  issueCertificate(by: By, device: string, wanted: NewDeviceCertificate): Promise<DeviceCertificateIssued>
  revokeCredential(by: By, device: string, credential: string): Promise<void>
  credentials(tenant: string, device: string): Promise<CredentialView[]>
  /** The code is shown this once; those made before are void. */
  makeClaimCode(by: By, device: string, wanted: NewClaimCode): Promise<ClaimCodeMade>
  voidClaimCode(by: By, device: string, claim: string): Promise<void>
  claimCodes(tenant: string, device: string): Promise<ClaimCodeView[]>
  /** By the device itself, with a claim code. Ends all credentials that it had. */
  claim(wanted: DeviceClaim): Promise<DeviceClaimed>
  /** By the device itself, with the certificate that it has. */
  renew(wanted: DeviceRenewal): Promise<DeviceRenewed>
  assign(by: By, device: string, subject: string, from: EpochMs | null): Promise<AssignmentSpan>
  unassign(by: By, device: string, to: EpochMs | null): Promise<AssignmentSpan>
  correctAssignment(by: By, device: string, correction: Correction): Promise<readonly AssignmentSpan[]>
  assignmentHistory(by: By, device: string): Promise<AssignmentHistory>
  /** From the database; doors ask `attribution` instead. */
  whoWears(tenant: string, device: string, at: EpochMs): Promise<AssignmentSpan | null>
  setSettings(by: By, device: string, settings: DeviceSettings): Promise<SettingsView>
  /** For the device itself. */
  settings(tenant: string, device: string): Promise<SettingsView>
  /** For a person: audited. */
  readSettings(by: By, device: string): Promise<SettingsView>
  enrolGateway(by: By, wanted: NewGateway): Promise<GatewayView>
  gateways(tenant: string): Promise<GatewayView[]>
  readonly attribution: Attribution
}

export interface FleetParts extends OwnCredentialParts {
  readonly knowsProfile: KnowsProfile
}

export function makeFleet(engine: Engine, parts: FleetParts): Fleet {
  const { knowsProfile } = parts
  return {
    enrolDevice: (by, wanted) => enrolDevice(engine, knowsProfile, by, wanted),
    updateDevice: (by, id, wanted) => updateDevice(engine, knowsProfile, by, id, wanted),
    device: (by, id) => readDevice(engine, by, id),
    listDevices: (by, filter) => listDevices(engine, by, filter),
    createDeviceToken: (by, device, wanted) => createDeviceToken(engine, by, device, wanted),
    issueCertificate: (by, device, wanted) => issueFor(engine, parts.issueCertificate, by, device, wanted),
    revokeCredential: (by, device, credential) => revokeCredential(engine, by, device, credential),
    credentials: (tenant, device) => listCredentials(engine, tenant, device),
    makeClaimCode: (by, device, wanted) => makeClaimCode(engine, by, device, wanted),
    voidClaimCode: (by, device, claim) => voidClaimCode(engine, by, device, claim),
    claimCodes: (tenant, device) => listClaimCodes(engine, tenant, device),
    claim: (wanted) => claimDevice(engine, parts, wanted),
    renew: (wanted) => renewCertificate(engine, parts, wanted),
    assign: (by, device, subject, from) => assign(engine, by, device, subject, from),
    unassign: (by, device, to) => unassign(engine, by, device, to),
    correctAssignment: (by, device, correction) => correctAssignment(engine, by, device, correction),
    assignmentHistory: (by, device) => assignmentHistory(engine, by, device),
    whoWears: (tenant, device, at) => whoWears(engine, tenant, device, at),
    setSettings: (by, device, settings) => setSettings(engine, by, device, settings),
    settings: (tenant, device) => settingsOf(engine, tenant, device),
    readSettings: (by, device) => settingsOf(engine, by.tenant, device, by),
    enrolGateway: (by, wanted) => enrolGateway(engine, by, wanted),
    gateways: (tenant) => listGateways(engine, tenant),
    attribution: makeAttribution(engine),
  }
}
