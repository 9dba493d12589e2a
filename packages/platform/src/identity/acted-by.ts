/** Who acts, and how identity's own acts reach the trail: in the transaction of the act. */
import { type AuditAction, record } from '../audit/index.ts'
import type { EngineTx } from '../engine/index.ts'

export interface ActedBy {
  /** `staff:<id>`, `service:<id>`, `cli`, `anonymous`: as audit entries say it. */
  readonly actor: string
  readonly requestId?: string
}

/** A person at the server's own console. */
export const byConsole: ActedBy = { actor: 'cli' }

export interface Act {
  readonly tenant: string
  readonly by: ActedBy
  readonly action: AuditAction
  readonly resource:
    | 'tenant'
    | 'user'
    | 'service-token'
    | 'session'
    | 'second-factor'
    | 'passkey'
    | 'route'
    | 'display'
    | OwnResource
  readonly id: string
  readonly outcome?: 'success' | 'denied'
  /** How often it happened; default 1. */
  readonly times?: number
  /** The patient whom it concerns. */
  readonly subject?: string
}

export const recordAct = (tx: EngineTx, act: Act): Promise<void> =>
  tx.asTenant(act.tenant, (tenantTx) => {
    const { by, tenant: _, ...rest } = act
    return record(tenantTx, { ...rest, ...by, purpose: 'SYSADMN' })
  })

type OwnResource = 'identity-provider' | 'invitation' | 'person-account' | 'app'
