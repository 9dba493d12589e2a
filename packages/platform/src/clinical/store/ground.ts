/** What the store stands on, made once. */

import type { Engine } from '../../engine/index.ts'
import { type Blinds, makeBlinds } from './blind.ts'
import type { IndexKeys } from './draft.ts'

export interface Ground {
  readonly engine: Engine
  readonly blinds: Blinds
  /** By what a resource is found. */
  readonly keysOf: IndexKeys
}

export const makeGround = (engine: Engine, keysOf: IndexKeys): Ground => ({
  engine,
  keysOf,
  blinds: makeBlinds(engine),
})
