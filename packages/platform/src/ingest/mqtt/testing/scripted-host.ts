import { Failure } from '@careloop/contract'
import type { DeviceIdentity, Frame, Receipt } from '../../door.ts'
import type { DeviceSettings, Hello, LastWill, MqttHost, OpenedSession, SetAsideFrame, Verdict } from '../host.ts'
import type { Closing } from '../reason-codes.ts'

const TENANT = '018f0000-0000-7000-8000-000000000001'

/** Device number n: its token is `token-n`, its name `device-n`. */
export function aDevice(n: number): DeviceIdentity {
  return {
    tenant: TENANT,
    device: `018f0000-0000-7000-8000-1${String(n).padStart(11, '0')}`,
    name: `device-${n}`,
    profile: 'generic',
    classification: 'medical',
    credential: `credential-${n}`,
  }
}

export interface Held {
  readonly frame: Frame
  commit(receipt?: Receipt): void
  fail(error: Error): void
}

export const stored: Receipt = { outcome: 'stored', position: 1, readings: 1, quarantined: [] }

/** As the ingest flow refuses when nothing was stored. */
export const overloaded = (code = 'log-overloaded') =>
  new Failure(code, { disposition: 'retry', status: 429, issue: 'throttled' }, 'The log is full.')

/** The house of a door under test: it keeps what the door says, and answers as the test tells it. */
export class ScriptedHost implements MqttHost {
  readonly frames: Frame[] = []
  readonly aside: SetAsideFrame[] = []
  readonly wills: LastWill[] = []
  readonly events: string[] = []
  readonly openedSessions: OpenedSession[] = []
  readonly hellos: Hello[] = []
  readonly reached: number[] = []
  /** Frames that `accept` keeps until the test commits or fails them; null = it stores at once. */
  held: Held[] | null = null
  /** What `accept` answers when it holds nothing. */
  answer: (frame: Frame) => Promise<Receipt> = async () => stored
  verdict: (hello: Hello) => Promise<Verdict> = async ({ username }) => verdictOf(username)
  settingsOf = new Map<string, DeviceSettings>()
  /** Credentials that open nothing any more. */
  readonly ended = new Set<string>()
  fill = 0
  refused: ReturnType<MqttHost['refusal']> = null
  #changed: (device: string) => void = () => {}
  #waiting: { readonly done: () => boolean; readonly go: () => void }[] = []

  authenticate(hello: Hello) {
    this.hellos.push(hello)
    return this.verdict(hello)
  }

  isGood(credential: string) {
    return !this.ended.has(credential)
  }

  accept = (frame: Frame): Promise<Receipt> => {
    this.frames.push(frame)
    const { held } = this
    const receipt = held
      ? new Promise<Receipt>((commit, fail) => held.push({ frame, commit: (given = stored) => commit(given), fail }))
      : this.answer(frame)
    this.#look()
    return receipt
  }

  async setAside(aside: SetAsideFrame) {
    this.aside.push(aside)
    this.#look()
  }

  async lastWill(will: LastWill) {
    this.wills.push(will)
    this.#look()
  }

  async opened(session: OpenedSession) {
    this.openedSessions.push(session)
    this.events.push(`opened ${session.device.name}${session.resumed ? ' again' : ''}`)
    this.#look()
  }

  closed(session: OpenedSession, why: Closing) {
    this.events.push(`closed ${session.device.name}: ${why}`)
    this.#look()
  }

  async settings(device: DeviceIdentity) {
    return this.settingsOf.get(device.device) ?? null
  }

  onSettings(changed: (device: string) => void) {
    this.#changed = changed
    return () => {}
  }

  hurries(device: DeviceIdentity) {
    this.events.push(`hurries ${device.name}`)
  }

  settingsReached(_: DeviceIdentity, version: number) {
    this.reached.push(version)
    this.#look()
  }

  pressure() {
    return this.fill
  }

  refusal() {
    return this.refused
  }

  changeSettings(device: DeviceIdentity, settings: object, version: number) {
    this.settingsOf.set(device.device, { bytes: Buffer.from(JSON.stringify(settings)), version })
    this.#changed(device.device)
  }

  /** Resolves when the host has heard enough for `done` to hold. */
  until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve()
    return new Promise((go) => this.#waiting.push({ done, go }))
  }

  #look() {
    this.#waiting = this.#waiting.filter(({ done, go }) => {
      if (!done()) return true
      go()
      return false
    })
  }
}

function verdictOf(username: string | undefined): Verdict {
  const n = /^token-(\d+)$/.exec(username ?? '')?.[1]
  return n === undefined ? { refused: 'bad-credentials' } : { device: aDevice(Number(n)), format: 'json' }
}
