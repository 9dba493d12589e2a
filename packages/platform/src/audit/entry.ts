import type { EpochMs } from '@careloop/contract'

export type AuditAction =
  | 'create'
  | 'read'
  | 'update'
  | 'delete'
  | 'search'
  | 'export'
  | 'print'
  | 'login'
  | 'logout'
  | 'denied'
  | 'execute'
  | 'assign'
  | 'correct'
  | 'revoke'
  /** What somebody may be shown was allowed or withdrawn. */
  | 'consent'
  /** How the platform works was changed. */
  | 'configure'

/** `failed`: it was allowed and went wrong, through no refusal of ours. */
export type AuditOutcome = 'success' | 'denied' | 'failed'

/**
 * Why, in the words of HL7 v3 PurposeOfUse: treatment, payment, operations, the patient's own request, emergency treatment,
 * public health, system administration.
 */
export type PurposeOfUse = 'TREAT' | 'HPAYMT' | 'HOPERAT' | 'PATRQT' | 'ETREAT' | 'PUBHLTH' | 'SYSADMN'

/** What is recorded. It carries opaque ids only; what may hold PHI goes sealed into `detail`. */
export interface AuditEntry {
  /**
   * Who: `staff:<id>`, `service:<id>`, `device:<id>`, `system:<stage>`, `cli` (a person at the server's own console) or
   * `anonymous`. Never a name or an e-mail address.
   */
  readonly actor: string
  readonly action: AuditAction
  /** What kind of thing it was done to, as the room calls it: `subject`, `device`, `alert`, `series`, `route`. */
  readonly resource: string
  /** Which one; absent for a search or an act on no single thing. */
  readonly id?: string | undefined
  /** Whose data it was. Not needed when `resource` is `subject`. */
  readonly subject?: string | undefined
  /** Whose data it was, when several people's were shown: each gets an entry, so that each can be told who looked. */
  readonly subjects?: readonly string[] | undefined
  /** Default `success`; `denied` for the action `denied`. */
  readonly outcome?: AuditOutcome | undefined
  /** Default `TREAT` when it concerns a subject, else `HOPERAT`. */
  readonly purpose?: PurposeOfUse | undefined
  /** The request this belongs to; entries of one request share it. */
  readonly requestId?: string | undefined
  readonly detail?: SealedDetail | undefined
  /** How often it happened, for what comes in floods (refusals). Default 1. */
  readonly times?: number | undefined
}

/** Made by `sealDetail`. */
export interface SealedDetail {
  readonly keyId: string
  readonly sealed: Uint8Array
}

/** An entry as it is read. */
export interface RecordedEntry {
  /** Grows in the order of writing. */
  readonly id: string
  /** The database's clock, when the entry was written. */
  readonly at: EpochMs
  readonly actor: string
  readonly action: AuditAction
  readonly outcome: AuditOutcome
  readonly resource: string
  readonly resourceId: string | null
  readonly subject: string | null
  readonly purpose: PurposeOfUse
  readonly requestId: string | null
  readonly detail: SealedDetail | null
  readonly times: number
}
