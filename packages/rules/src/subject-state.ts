/** What the evaluator holds of one subject. */
import { Gate, type GateKeeper } from './gate.ts'
import type { WatchedDevice } from './hearing.ts'
import type { RuleState } from './track.ts'

/** Who reads a signal. */
export interface SignalReaders {
  /** Rules that see each reading. */
  readonly direct: readonly { readonly state: RuleState; readonly slot: number }[]
  /** Rules whose readings may wait at a gate, and absence rules beside them: per subject, and per device. */
  readonly gate: Gate | null
  readonly plainPerDevice: readonly RuleState[]
  readonly absencesPerDevice: readonly RuleState[]
  readonly gates: Map<string, Gate>
  /** Whether an absence rule waits for this signal. */
  readonly isAwaited: boolean
  /** Whether an absence rule by device waits for other signals: a device that measures this one may be none of its. */
  readonly isOfOthers: boolean
}

export interface SubjectState {
  readonly subject: string
  readonly rules: RuleState[]
  readonly bySignal: ReadonlyMap<string, SignalReaders>
  /** Absence rules. */
  readonly absences: readonly RuleState[]
  /** What the subject wears now; null when nobody said: devices are then known by what they measure. */
  readonly devices: readonly WatchedDevice[] | null
  /** Changed since the last checkpoint asked. */
  isChanged: boolean
}

export function subjectState(
  subject: string,
  rules: RuleState[],
  devices: readonly WatchedDevice[] | null,
): SubjectState {
  const codes = new Set(rules.flatMap(({ spec }) => spec.compiled.signals))
  const bySignal = new Map([...codes].map((code) => [code, readersOf(code, rules)]))
  const absences = rules.filter((state) => state.spec.compiled.isAbsence)
  return { subject, rules, bySignal, absences, devices, isChanged: false }
}

function readersOf(code: string, all: readonly RuleState[]): SignalReaders {
  const rules = all.filter(({ spec }) => spec.compiled.signals.includes(code))
  const absences = rules.filter(({ spec }) => spec.compiled.isAbsence)
  const plain = rules.filter(({ spec }) => spec.compiled.quiet !== null)
  const perSubject = (state: RuleState) => !state.spec.compiled.perDevice
  const perDevice = (state: RuleState) => state.spec.compiled.perDevice
  const isGated = plain.some(perSubject) || absences.some(perSubject)
  return {
    direct: rules
      .filter((state) => !plain.includes(state) && !absences.includes(state))
      .map((state) => ({ state, slot: state.spec.compiled.signals.indexOf(code) })),
    gate: isGated ? new Gate(plain.filter(perSubject), absences.filter(perSubject), '') : null,
    plainPerDevice: plain.filter(perDevice),
    absencesPerDevice: absences.filter(perDevice),
    gates: new Map(),
    isAwaited: absences.length > 0,
    isOfOthers: all.some(
      ({ spec: { compiled } }) =>
        compiled.isAbsence && compiled.perDevice && compiled.signals.length > 0 && !compiled.signals.includes(code),
    ),
  }
}

/** Devices of one signal that are remembered; more come the long way round through the same memory. */
const maxGates = 64

/** The gate of a device's readings of this signal, null when no rule asks by device. */
export function deviceGate(readers: SignalReaders, device: string, keeper: GateKeeper): Gate | null {
  const { plainPerDevice, absencesPerDevice, gates } = readers
  if (plainPerDevice.length === 0 && absencesPerDevice.length === 0) return null
  const known = gates.get(device)
  if (known !== undefined) return known
  if (gates.size >= maxGates) {
    for (const gate of gates.values()) gate.settle(keeper)
    gates.clear()
  }
  const made = new Gate(plainPerDevice, absencesPerDevice, device)
  gates.set(device, made)
  return made
}

/** What closed a gate has been judged. */
export function reopenGates({ bySignal }: SubjectState): void {
  for (const { gate, gates } of bySignal.values()) {
    gate?.reopen()
    for (const each of gates.values()) each.reopen()
  }
}

/** Folds all that waits. */
export function settleGates({ bySignal }: SubjectState, keeper: GateKeeper): void {
  for (const { gate, gates } of bySignal.values()) {
    gate?.settle(keeper)
    for (const each of gates.values()) each.settle(keeper)
  }
}
