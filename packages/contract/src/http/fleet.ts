/** Requests and answers about devices: enrolment, credentials, who wears what, settings. */
import { z } from 'zod'
import { Id, Instant } from './common.ts'
import { TimeZone } from './subjects.ts'

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Stands in topics and URLs: never a person's name or number. A UUID's shape is refused, since topics take ids too. */
export const DeviceName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'Use 1 to 64 letters, digits, dots, underscores and hyphens.')
  .refine((name) => !uuidShape.test(name), 'A name may not look like a UUID. Choose another.')

/** What a device may do follows from this. `cyber-device`: a device under section 524B of the US FD&C Act. */
export const DeviceClassification = z.enum(['wellness', 'operational', 'medical', 'cyber-device'])
export type DeviceClassification = z.infer<typeof DeviceClassification>

export const ProfileCode = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'Use a profile code, e.g. generic.')

/** What a device is told of itself: flat JSON, at most 16 kB. */
export const DeviceSettings = z
  .record(z.string().min(1).max(64), z.json())
  .refine((settings) => JSON.stringify(settings).length <= 16_384, 'Settings may take at most 16 kB as JSON.')
export type DeviceSettings = z.infer<typeof DeviceSettings>

/** Twelve hex digits of a Bluetooth address, or sixteen of a LoRaWAN DevEUI; colons, hyphens and capitals as one likes. */
export const RadioAddress = z
  .string()
  .trim()
  .regex(
    /^([0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}(([:-]?[0-9A-Fa-f]{2}){2})?$/,
    'Use the 6 bytes of a Bluetooth address or the 8 of a DevEUI in hexadecimal, e.g. 54:48:E6:8F:80:A5.',
  )
  .describe(
    'Bluetooth address or DevEUI, hexadecimal: frames that name another device are refused. Unique in the organisation',
  )

/** Never given back by the API. */
export const BindKey = z
  .string()
  .trim()
  .regex(/^[0-9A-Fa-f]{32}$/, 'Use the 16 bytes of the AES-128 key in hexadecimal.')
  .describe('AES-128 key of encrypted advertisements, 32 hexadecimal digits. Kept sealed and never shown again')

const deviceFields = {
  classification: DeviceClassification,
  profile: ProfileCode.default('generic'),
  serial: z.string().trim().min(1).max(128).optional(),
  manufacturer: z.string().trim().min(1).max(128).optional(),
  model: z.string().trim().min(1).max(128).optional(),
  expectedIntervalMs: z
    .int()
    .min(1000)
    .max(31 * 86_400_000)
    .optional()
    .describe("Milliseconds between readings, in place of the signal's own"),
  timeZone: TimeZone.optional().describe('Zone of the device clock, where it is not that of its wearer'),
  gateway: Id.optional(),
  address: RadioAddress.optional(),
}

export const NewDevice = z.strictObject({ name: DeviceName, ...deviceFields, bindKey: BindKey.optional() })
export type NewDevice = z.infer<typeof NewDevice>
/** The caller's form: defaults not yet filled in. */
export type NewDeviceInput = z.input<typeof NewDevice>

/** The whole new state of what may change; the name stays. A bind key stays unless given: who updates cannot read it. */
export const DeviceUpdate = z.strictObject({
  ...deviceFields,
  profile: ProfileCode,
  bindKey: BindKey.nullable().optional().describe('Left out: it stays as it is; null: taken away'),
})
export type DeviceUpdate = z.infer<typeof DeviceUpdate>

export const DeviceSpan = z.object({
  /** The assignment's id: a series is (device, signal, assignment). */
  id: Id,
  subject: Id,
  from: Instant,
  /** null = still worn; the span is half-open [from, to) */
  to: Instant.nullable(),
})
export type DeviceSpan = z.infer<typeof DeviceSpan>

export const DeviceView = z.object({
  id: Id,
  name: z.string(),
  classification: DeviceClassification,
  profile: z.string(),
  serial: z.string().nullable(),
  manufacturer: z.string().nullable(),
  model: z.string().nullable(),
  expectedIntervalMs: z.int().nullable(),
  timeZone: z.string().nullable(),
  gateway: Id.nullable(),
  /** Bluetooth address or DevEUI: lower-case hex without separators. */
  address: z.string().nullable(),
  bindKeySet: z.boolean(),
  /** Who wears it now. */
  worn: DeviceSpan.nullable(),
  /** Somebody wears it of whom the asker may not know; `worn` is null then. */
  wornUnseen: z.boolean().optional(),
  settingsVersion: z.int(),
  /** What it told of itself (battery, firmware). */
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  connected: z.boolean(),
  lastConnectedAt: Instant.nullable(),
  enrolledAt: Instant,
})
export type DeviceView = z.infer<typeof DeviceView>

export const DeviceListQuery = z.strictObject({
  name: DeviceName.optional(),
  subject: Id.optional().describe('Devices which this subject wears now'),
  classification: DeviceClassification.optional(),
  after: Id.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export type DeviceListQuery = z.infer<typeof DeviceListQuery>
export const DeviceList = z.object({ items: z.array(DeviceView), next: Id.nullable() })
export type DeviceList = z.infer<typeof DeviceList>

// ---------------------------------------------------------------- credentials
/** What a credential is for. Kept in plain and listed, so it has no room for a person's name with its spaces and letters. */
const label = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, {
  error: 'A label is 1 to 64 letters A-Z, digits, dots, hyphens or underscores. Never the name of a person.',
})
export const NewDeviceToken = z.strictObject({ label: label.optional(), expiresAt: Instant.optional() })
export type NewDeviceToken = z.infer<typeof NewDeviceToken>
/** The token is shown this once: only its SHA-256 is kept. */
export const DeviceTokenIssued = z.object({
  credential: Id,
  token: z.string().startsWith('cld_'),
  expiresAt: Instant.nullable(),
})
export type DeviceTokenIssued = z.infer<typeof DeviceTokenIssued>

/** With `csr` (PEM, PKCS #10) the key stays on the device; without it a key is made and shown once. */
export const NewDeviceCertificate = z.strictObject({ label: label.optional(), csr: z.string().max(16_384).optional() })
export type NewDeviceCertificate = z.infer<typeof NewDeviceCertificate>
export const DeviceCertificateIssued = z.object({
  credential: Id,
  certificate: z.string().describe('PEM'),
  authority: z.string().describe('PEM of the authority that signed it'),
  privateKey: z.string().optional().describe('PEM (PKCS #8), only when made here'),
  fingerprint: z.string().describe('SHA-256, hex'),
  expiresAt: Instant,
})
export type DeviceCertificateIssued = z.infer<typeof DeviceCertificateIssued>

export const CredentialView = z.object({
  id: Id,
  kind: z.enum(['token', 'certificate']),
  label: z.string().nullable(),
  createdAt: Instant,
  expiresAt: Instant.nullable(),
  revokedAt: Instant.nullable(),
})
export type CredentialView = z.infer<typeof CredentialView>
export const CredentialList = z.object({ items: z.array(CredentialView) })
export type CredentialList = z.infer<typeof CredentialList>

// ---------------------------------------------------------------- a device fetches and renews its own
/** POST /api/v1/devices/:id/claim-codes */
export const NewClaimCode = z.strictObject({ hours: z.int().min(1).max(168).default(24) })
export type NewClaimCode = z.infer<typeof NewClaimCode>
export type NewClaimCodeInput = z.input<typeof NewClaimCode>
/** The code is shown this once: ten letters and digits, e.g. `7K2MX-9QD4R`. */
export const ClaimCodeMade = z.object({ id: Id, code: z.string(), expiresAt: Instant })
export type ClaimCodeMade = z.infer<typeof ClaimCodeMade>
export const ClaimCodeView = z.object({
  id: Id,
  createdAt: Instant,
  expiresAt: Instant,
  usedAt: Instant.nullable(),
  revokedAt: Instant.nullable(),
})
export type ClaimCodeView = z.infer<typeof ClaimCodeView>
export const ClaimCodeList = z.object({ items: z.array(ClaimCodeView) })
export type ClaimCodeList = z.infer<typeof ClaimCodeList>

const Csr = z.string().max(16_384).describe('PEM, PKCS #10, of a key that never had a certificate')

/** POST /api/v1/devices/claim, by the device itself. With `csr` it is given a certificate, without it a token. */
export const DeviceClaim = z.strictObject({ code: z.string().min(1).max(40), csr: Csr.optional() })
export type DeviceClaim = z.infer<typeof DeviceClaim>

const issuedToDevice = {
  certificate: z.string().describe('PEM'),
  authority: z.string().describe('PEM of the authorities to trust'),
  expiresAt: Instant,
  renewFrom: Instant.describe('Two thirds of its life: ask for the next one from here on'),
}
export const DeviceClaimed = z.object({
  device: Id,
  credential: Id,
  name: z.string().describe('In topics: devices/{name}/telemetry'),
  profile: z.string(),
  token: z.string().startsWith('cld_').optional(),
  ...z.object(issuedToDevice).partial().shape,
})
export type DeviceClaimed = z.infer<typeof DeviceClaimed>

/**
 * POST /api/v1/devices/renew, by the device itself. `signature` (base64) is made with the key of `certificate` by SHA-256 over
 * `careloop certificate renewal`, `at`, and the SHA-256 of `csr` in hex, each followed by a line feed.
 */
export const DeviceRenewal = z.strictObject({
  certificate: z.string().max(16_384).describe('PEM, the one that is held now'),
  csr: Csr,
  at: Instant,
  signature: z.base64().max(1_024),
})
export type DeviceRenewal = z.infer<typeof DeviceRenewal>
export const DeviceRenewed = z.object({ device: Id, credential: Id, ...issuedToDevice })
export type DeviceRenewed = z.infer<typeof DeviceRenewed>

// ---------------------------------------------------------------- assignments
export const NewAssignment = z.strictObject({
  subject: Id,
  from: Instant.optional().describe('Now, when absent; may be back-dated where nobody wore it'),
})
export type NewAssignment = z.infer<typeof NewAssignment>
export const AssignmentEnd = z.strictObject({ to: Instant.optional().describe('Now, when absent') })
export type AssignmentEnd = z.infer<typeof AssignmentEnd>

/** One edit of a device's history. What is not given of a `change` stays; `to: null` opens the span. */
export const AssignmentEdit = z.discriminatedUnion('edit', [
  z.strictObject({
    edit: z.literal('change'),
    assignment: Id,
    subject: Id.optional(),
    from: Instant.optional(),
    to: Instant.nullable().optional(),
  }),
  z.strictObject({ edit: z.literal('remove'), assignment: Id }),
  z.strictObject({ edit: z.literal('add'), subject: Id, from: Instant, to: Instant.nullable() }),
])
export type AssignmentEdit = z.infer<typeof AssignmentEdit>

/** All edits together, as one audited act; the history after all of them must not overlap. */
export const AssignmentCorrection = z.strictObject({
  reason: z.string().trim().min(3).max(500).describe('Why the history was wrong. Kept sealed.'),
  edits: z.array(AssignmentEdit).min(1).max(50),
})
export type AssignmentCorrection = z.infer<typeof AssignmentCorrection>

export const AssignmentHistory = z.object({
  /** What holds now, oldest first. */
  spans: z.array(DeviceSpan),
  /** What was believed before, newest first. */
  superseded: z.array(
    DeviceSpan.extend({
      recordedAt: Instant,
      supersededAt: Instant,
      supersededBy: z.string(),
      reason: z.string().nullable(),
    }),
  ),
})
export type AssignmentHistory = z.infer<typeof AssignmentHistory>

// ---------------------------------------------------------------- settings, gateways
export const SettingsView = z.object({ version: z.int(), settings: DeviceSettings })
export type SettingsView = z.infer<typeof SettingsView>

export const NewGateway = z.strictObject({ name: DeviceName, site: Id.optional() })
export type NewGateway = z.infer<typeof NewGateway>
export const GatewayView = z.object({ id: Id, name: z.string(), site: Id.nullable(), enrolledAt: Instant })
export type GatewayView = z.infer<typeof GatewayView>
export const GatewayList = z.object({ items: z.array(GatewayView) })
export type GatewayList = z.infer<typeof GatewayList>
