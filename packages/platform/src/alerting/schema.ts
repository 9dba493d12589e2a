/** Tables of the alerting room as Kysely sees them. `bigint` columns come as text from the driver: see `toMs`. */
import type { AlertCondition, AlertEventBody, Handling, Priority } from '@careloop/contract'
import type { Nature, Program, ProgramRule } from '@careloop/rules'
import type { ColumnType, Generated } from 'kysely'

/** ms since epoch, or a log position, in a bigint column. */
type Big = ColumnType<string, number | string, number | string>
type NullableBig = ColumnType<string | null, number | null, number | null>
type Json<T> = ColumnType<T, string, string>

export const toMs = (column: string): number => Number(column)

/** What of a program is kept beside its rules. */
export type ProgramHead = Omit<Program, 'rules'>

export interface AlertingTables {
  program: {
    tenant_id: Generated<string>
    code: string
    definition: Json<ProgramHead>
    installed_at: Big
  }
  rule: {
    tenant_id: Generated<string>
    id: string
    program: string
    code: string
    place: number
    active_version: number | null
    /** Of the program file that was activated last; null = before this was kept. */
    file_sha256: Generated<Buffer | null>
    file_definition: ColumnType<ProgramRule | null, string | null | undefined, string | null>
    /** Changed here: a program file leaves it as it is. */
    edited: Generated<boolean>
    /** A person switched it off: a program file does not switch it on. */
    switched_off: Generated<boolean>
    unreachable_since: ColumnType<string | null, number | null | undefined, number | null>
  }
  rule_version: {
    tenant_id: Generated<string>
    rule_id: string
    version: number
    definition: Json<ProgramRule>
    sha256: Buffer
    activated_at: Big
    activated_by: string
  }
  rule_change: {
    tenant_id: Generated<string>
    rule_id: string
    id: Generated<string>
    what: 'edited' | 'activated' | 'deactivated' | 'file-taken'
    version: number
    at: Big
    actor: string
    key_id: string | null
    reason: Buffer | null
  }
  rule_override: {
    tenant_id: Generated<string>
    id: string
    subject_id: string
    rule_id: string
    key_id: string
    /** `OverrideContent`, sealed. */
    body: Buffer
    author: string
    created_at: Big
    expires_at: Big
    ended_at: NullableBig
    ended_by: string | null
  }
  alert: {
    tenant_id: Generated<string>
    id: string
    rule_id: string
    rule_version: number
    program: string
    subject_id: string
    enrolment_id: string
    focus: string
    priority: Priority
    nature: Nature
    condition: AlertCondition
    handling: Handling
    historic: boolean
    raised_at: Big
    recorded_at: Big
    cleared_at: NullableBig
    closed_at: NullableBig
    /** Devices of the evidence whose readings are somebody else's now; empty = the alert is about its subject. */
    moved_devices: ColumnType<string[], string[] | undefined, string[]>
    /** The limit of this subject that stood when it was raised. */
    override_id: ColumnType<string | null, string | null | undefined, string | null>
    key_id: string
    summary: Buffer
  }
  alert_event: {
    tenant_id: Generated<string>
    alert_id: string
    id: Generated<string>
    what: AlertEventBody['what']
    at: Big
    recorded_at: Big
    actor: string | null
    partition: number | null
    position: NullableBig
    ordinal: number | null
    rearm: ColumnType<'worse' | 'time' | null, 'worse' | 'time' | null | undefined, never>
    rearm_at: ColumnType<string | null, number | null | undefined, never>
    key_id: string | null
    detail: Buffer | null
  }
}
