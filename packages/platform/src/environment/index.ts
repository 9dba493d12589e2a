/** Environment: places and things under watch. It owns no table; it shows what fleet, telemetry, alerting and workflow know. */
export { type BoardParts, makeBoard } from './board.ts'
