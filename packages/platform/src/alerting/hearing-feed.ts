/**
 * Whether Careloop could hear, from the log to the evaluator: doors, connections, and the time before rules were evaluated here
 * for the first time. What is kept goes into the partition's checkpoint.
 */
import type { DeviceReported, DoorChanged, EpochMs } from '@careloop/contract'
import type { Evaluator, Hearing } from '@careloop/rules'

/** As in the checkpoint. `heardUntil` is the checkpoint's log time. */
export interface SavedHearing {
  readonly hearing: Omit<Hearing, 'heardUntil'>
  /** Devices with rules that are connected: device, door process, connection. */
  readonly connections: readonly (readonly [device: string, process: string | null, connection: string | null])[]
  /** Up to this position the log is history of before the first start: no clock of silence runs there. */
  readonly history?: number
}

interface Connection {
  readonly process: string | null
  readonly connection: string | null
}

export class HearingFeed {
  readonly #evaluator: Evaluator
  readonly #connections = new Map<string, Connection>()
  #history = 0
  #changed = false

  constructor(evaluator: Evaluator) {
    this.#evaluator = evaluator
  }

  /** Everything up to `head` was logged before rules were first evaluated here. */
  beginAfter(head: number): void {
    if (head === 0) return
    this.#history = head
    this.#changed = true
  }

  load(saved: SavedHearing | null, heardUntil: EpochMs): void {
    // A checkpoint of before there were clocks: they start with what comes next.
    if (saved === null) return
    for (const [device, process, connection] of saved.connections)
      this.#connections.set(device, { process, connection })
    this.#history = saved.history ?? 0
    this.#evaluator.restoreHearing({ ...saved.hearing, heardUntil })
  }

  /** What to keep, null when it is as it was kept last. */
  takeChanged(): SavedHearing | null {
    if (!this.#changed) return null
    this.#changed = false
    const { doorsUp, disconnected } = this.#evaluator.hearing()
    const connections = [...this.#connections].map(([device, { process, connection }]) => [device, process, connection])
    return {
      hearing: { doorsUp, disconnected },
      connections: connections as unknown as SavedHearing['connections'],
      ...(this.#history > 0 ? { history: this.#history } : {}),
    }
  }

  /** What is read was logged before rules were evaluated here: its readings are judged, its silences are not. */
  get isHistory(): boolean {
    return this.#history > 0
  }

  /** Before a commit's entries. @returns whether the history ends here */
  endsBefore(position: number): boolean {
    if (this.#history === 0 || position <= this.#history) return false
    this.#history = 0
    this.#changed = true
    return true
  }

  door({ kind, process, heardUntil }: DoorChanged, at: EpochMs): void {
    this.#changed = true
    const isUp = kind === 'door-up'
    // It tells that no other door was alive since then: a process that was killed does not say its own end.
    if (isUp && heardUntil !== undefined)
      for (const other of this.#evaluator.hearing().doorsUp ?? [])
        if (other !== process) this.#end(other, Math.min(heardUntil, at))
    if (isUp) this.#evaluator.door(process, true, at)
    else this.#end(process, at)
  }

  #end(process: string, at: EpochMs): void {
    this.#evaluator.door(process, false, at)
    for (const [device, known] of this.#connections) {
      if (known.process !== process) continue
      this.#connections.delete(device)
      this.#evaluator.connection(device, false, at)
    }
  }

  connection({ what, device, ...told }: DeviceReported, at: EpochMs): void {
    const { process = null, connection = null }: { process?: string | null; connection?: string | null } = told
    const known = this.#connections.get(device)
    if (what === 'connected') {
      if (this.#evaluator.wearerOf(device) !== undefined) this.#connections.set(device, { process, connection })
      this.#evaluator.connection(device, true, at)
    } else {
      // It has connected anew, perhaps to another process, before the end of its former connection was told.
      if (known !== undefined && isAnother(known, { process, connection })) return
      this.#connections.delete(device)
      this.#evaluator.connection(device, false, at)
    }
    this.#changed = true
  }
}

const isAnother = (known: Connection, told: Connection): boolean =>
  (known.connection !== null && told.connection !== null && known.connection !== told.connection) ||
  (known.process !== null && told.process !== null && known.process !== told.process)
