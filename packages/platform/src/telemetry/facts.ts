/** Facts that telemetry publishes, in the transaction of the change: `SeriesMoved` and `GapChanged`. */
import type { FactBodies } from '@careloop/contract'

export type TelemetryFacts = Pick<FactBodies, 'SeriesMoved' | 'GapChanged'>
