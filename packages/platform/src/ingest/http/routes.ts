/** The HTTP door, readings typed by people, and quarantine. */
import {
  dismissReasonsOf,
  Id,
  QuarantineBytes,
  QuarantineCounts,
  QuarantinePage,
  quarantineReasons,
  ReceiptsBody,
  StoredBody,
  TypedReadings,
} from '@careloop/contract'
