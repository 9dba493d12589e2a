/** Wall screens: each shows one board, read only, by a credential of its own that was got through a one-time link. */
import { z } from 'zod'
import { Id, Instant } from './common.ts'

/** Boards that a screen can show. They tell of places and things, never of people. */
export const DisplayBoard = z.enum(['cold-chain'])
export type DisplayBoard = z.infer<typeof DisplayBoard>

/** `waiting`: its link was not opened yet; `link-over`: and cannot be any more. `revoked` and `expired` show nothing. */
export const DisplayState = z.enum(['waiting', 'link-over', 'showing', 'expired', 'revoked'])
export type DisplayState = z.infer<typeof DisplayState>

export const DisplayBody = z
  .object({
    id: Id,
    /** Where it hangs, e.g. "Pharmacy, north wall". */
    name: z.string(),
    board: DisplayBoard,
    state: DisplayState,
    createdAt: Instant,
    expiresAt: Instant,
    openedAt: Instant.nullable(),
    /** Within a minute. */
    lastSeenAt: Instant.nullable(),
  })
  .meta({ id: 'Display' })
export type DisplayBody = z.infer<typeof DisplayBody>

/** GET /api/v1/displays */
export const DisplayList = z.object({ items: z.array(DisplayBody) })

/** POST /api/v1/displays */
export const NewDisplay = z.strictObject({
  name: z.string().trim().min(1).max(100),
  board: DisplayBoard,
  /** Days that it shows for; a year unless told. */
  days: z.int().min(1).max(730).default(365),
})
export type NewDisplay = z.input<typeof NewDisplay>

/** The token of its one-time link `/display#<token>`: answered once, kept as a hash. */
export const DisplayLink = z.object({ display: DisplayBody, token: z.string(), linkExpiresAt: Instant })
export type DisplayLink = z.infer<typeof DisplayLink>

/** POST /api/v1/display/open */
export const OpenDisplay = z.strictObject({ token: z.string().min(8).max(200) })

/** GET /api/v1/display: what the screen that asks is. */
export const OwnDisplay = z
  .object({ id: Id, name: z.string(), board: DisplayBoard, organisation: z.string(), expiresAt: Instant })
  .meta({ id: 'OwnDisplay' })
export type OwnDisplay = z.infer<typeof OwnDisplay>
