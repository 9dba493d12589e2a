/** What an Observation is made of: whose it is, who measured it, what was measured. All of it is kept for as long as the person. */
import type { EpochMs, LoggedReading, Origin, SubjectKind } from '@careloop/contract'
import type { ZoneSpan } from '../../telemetry/index.ts'

export interface Whose {
  readonly tenant: string
  readonly subject: string
  readonly kind: SubjectKind
  /** `Patient/<id>`, `Location/<id>` or, of a thing, `Device/<id>`. */
  readonly reference: string
  readonly zones: readonly ZoneSpan[]
  /** `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; null = not known. */
  readonly birthDate: string | null
}

/** Who or what measured. */
export interface Source {
  readonly device: string
  readonly origin: Origin
  /** Staff id, for what was typed. */
  readonly enteredBy?: string | undefined
}

/** One reading on its way into the record. */
export interface Told {
  readonly whose: Whose
  readonly source: Source
  readonly reading: LoggedReading
  readonly storedAt: EpochMs
}

export const zoneOf = ({ zones }: Whose, at: EpochMs): string =>
  (zones.find(({ until }) => at < until) ?? zones.at(-1))?.timeZone ?? 'UTC'

/** Whoever measured: a device by itself, or a person who typed. */
export const sourceElements = ({ device, origin, enteredBy }: Source): object =>
  origin === 'automatic'
    ? { device: { reference: `Device/${device}` } }
    : enteredBy === undefined
      ? {}
      : { performer: [{ reference: `Practitioner/${enteredBy}` }] }
