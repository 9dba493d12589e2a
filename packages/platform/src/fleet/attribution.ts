/**
 * The doors' copy of who is who and who wears what, of all tenants, in memory: asked for every message.
 *
 * It may be older than the database, and says by how much: `epoch` is the value of the fence `attribution` that it is current
 * to. A door appends with that fence; when somebody changed an assignment meanwhile the log refuses, the door calls
 * `refresh()` and decides again. So no reading is ever stored under a wearer who had ceased to be one.
 */
import type { AssignmentSpan, EpochMs } from '@careloop/contract'
import type { Engine, Fence } from '../engine/index.ts'
import type { DeviceSpeaker } from '../identity/index.ts'
import { attributionFence } from './assignments.ts'
import {
  type CredentialKind,
  type FoundDevice,
  type ListedCredential,
  type ListedDevice,
  readByCredential,
  readByDevice,
  readByWord,
  readDirectory,
} from './directory.ts'
import { fleetFacts } from './facts.ts'
import { idOfAddressed, idOfNamed } from './find-device.ts'
import { spanAt } from './history.ts'
import { tellSuspicion } from './suspicion.ts'

export interface Attribution {
  /** Value of the fence that this copy is current to. Read it in the same tick as `whoWears`. */
  readonly epoch: number
  /** `epoch` as `ReadingLog.append` wants it. */
  fence(): Fence
  /** Who wore the device at an instant; null when nobody did or the device is not known here. */
  whoWears(device: string, at: EpochMs): AssignmentSpan | null
  /** What is known of a device: its profile, its time zone. Devices that have shown a credential are known. */
  device(device: string): ListedDevice | undefined
  /**
   * IANA zones in which the device's wall clock may be read, each with the span of wearing it holds for, newest first: its own,
   * else that of who wore it then. Where nobody did: its gateway's site's, else UTC.
   */
  zones(device: string): DeviceZones
  /** Makes a device known that came another way (a person's form, a replay); undefined when the tenant has no such device. */
  load(tenant: string, device: string): Promise<ListedDevice | undefined>
  /** Makes a device known of which only the id is at hand (a claim, a mark), whoever's it is. */
  known(device: string): Promise<ListedDevice | undefined>
  /** Devices that somebody may mean who shows this name or id and no good credential, of whatever organisation; at most three. */
  calledAnywhere(nameOrId: string): Promise<readonly ListedDevice[]>
  /** The device of a tenant that has this name or id. */
  named(tenant: string, nameOrId: string): Promise<ListedDevice | undefined>
  /** The device of a tenant that has this Bluetooth address or DevEUI, hex with or without separators. */
  addressed(tenant: string, address: string): Promise<ListedDevice | undefined>
  /** Whose token this is; null when unknown, expired or revoked. */
  identityByTokenHash(sha256: Buffer): Promise<DeviceSpeaker | null>
  /** Whose certificate this is, by SHA-256 over its DER; null when unknown, expired or revoked. */
  identityByCertificate(sha256: Buffer): Promise<DeviceSpeaker | null>
  /** Whether a credential that was good still is, as far as this copy knows. */
  isGood(credential: string): boolean
  /** Brings the copy up to date with everything committed before the call. */
  refresh(): Promise<void>
  /** Loads everything and follows changes. */
  start(): Promise<() => Promise<void>>
}

export interface DeviceZones {
  /** The device's own; null when it goes by its wearer's. */
  readonly own: string | null
  /** Newest first. A wearer without a zone is left out. */
  readonly worn: readonly { readonly span: AssignmentSpan; readonly timeZone: string }[]
  readonly otherwise: string
}

/** How soon a change is found even when nobody tells of it. */
const lookEveryMs = 5000
/** People are told once a day; the database is asked whether they were so often at most. */
const tellEndedEveryMs = 3_600_000

export function makeAttribution(engine: Engine): Attribution {
  return new AttributionCopy(engine)
}

class AttributionCopy implements Attribution {
  readonly #engine: Engine
  readonly #devices = new Map<string, ListedDevice>()
  /** Of subjects and sites. */
  readonly #zones = new Map<string, string>()
  readonly #byDigest = new Map<string, ListedCredential>()
  readonly #byCredential = new Map<string, ListedCredential>()
  /** When it was last told that an ended credential is being shown. As many at most as there are credentials. */
  readonly #endedAt = new Map<string, number>()
  #epoch = 0
  #horizon = '0'
  #looking: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get epoch(): number {
    return this.#epoch
  }

  fence(): Fence {
    return { name: attributionFence, value: this.#epoch }
  }

  whoWears(device: string, at: EpochMs): AssignmentSpan | null {
    const known = this.#devices.get(device)
    return known === undefined ? null : spanAt(known.spans, at)
  }

  device(device: string): ListedDevice | undefined {
    return this.#devices.get(device)
  }

  zones(device: string): DeviceZones {
    const known = this.#devices.get(device)
    if (!known) return { own: null, worn: [], otherwise: 'UTC' }
    const worn = known.spans.flatMap((span) => {
      const timeZone = this.#zones.get(span.subject)
      return timeZone === undefined ? [] : [{ span, timeZone }]
    })
    const ofSite = known.site === null ? undefined : this.#zones.get(known.site)
    return { own: known.timeZone, worn: worn.reverse(), otherwise: ofSite ?? 'UTC' }
  }

  calledAnywhere(nameOrId: string): Promise<readonly ListedDevice[]> {
    return readByWord(this.#engine.db, nameOrId)
  }

  async named(tenant: string, nameOrId: string): Promise<ListedDevice | undefined> {
    const device = await idOfNamed(this.#engine, tenant, nameOrId)
    return device === undefined ? undefined : this.load(tenant, device)
  }

  async addressed(tenant: string, address: string): Promise<ListedDevice | undefined> {
    const device = await idOfAddressed(this.#engine, tenant, address)
    return device === undefined ? undefined : this.load(tenant, device)
  }

  async load(tenant: string, device: string): Promise<ListedDevice | undefined> {
    const known = await this.known(device)
    return known?.tenant === tenant ? known : undefined
  }

  async known(device: string): Promise<ListedDevice | undefined> {
    const known = this.#devices.get(device)
    if (known) return known
    const found = await readByDevice(this.#engine.db, device)
    if (found) this.#learn(found)
    return this.#devices.get(device)
  }

  identityByTokenHash(sha256: Buffer): Promise<DeviceSpeaker | null> {
    return this.#identity('token', sha256)
  }

  identityByCertificate(sha256: Buffer): Promise<DeviceSpeaker | null> {
    return this.#identity('certificate', sha256)
  }

  isGood(credential: string): boolean {
    const known = this.#byCredential.get(credential)
    return known !== undefined && this.#holds(known)
  }

  /** A look that began before the call may have missed what the caller knows of: then another follows it. */
  refresh(): Promise<void> {
    if (!this.#looking) return this.#look()
    this.#next ??= this.#looking
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.#look()
      })
    return this.#next
  }

  async start(): Promise<() => Promise<void>> {
    const quietly = () => {
      this.refresh().catch((err: unknown) => this.#engine.watch.log.warn({ err }, 'attribution could not be refreshed'))
    }
    const stopFacts = this.#engine.db.onFacts([...fleetFacts, 'SubjectChanged', 'SiteChanged'], quietly)
    const stopTimer = this.#engine.clock.every(lookEveryMs, quietly)
    await this.refresh()
    return async () => {
      stopFacts()
      stopTimer()
      await Promise.allSettled([this.#looking, this.#next])
    }
  }

  #look(): Promise<void> {
    this.#looking ??= this.#takeNews().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #takeNews(): Promise<void> {
    // The fence first: rows read afterwards are at least as new as it says, and newer ones do no harm.
    const epoch = await this.#engine.log.fence(attributionFence)
    const { devices, credentials, zones, horizon } = await readDirectory(this.#engine.db, this.#horizon)
    for (const { of, timeZone } of zones) this.#zones.set(of, timeZone)
    for (const device of devices) this.#devices.set(device.device, device)
    for (const credential of credentials) this.#put(credential)
    this.#horizon = horizon
    this.#epoch = epoch
  }

  async #identity(kind: CredentialKind, digest: Buffer): Promise<DeviceSpeaker | null> {
    let credential = this.#byDigest.get(digestKey(kind, digest))
    if (!credential || !this.#devices.has(credential.device)) {
      const found = await readByCredential(this.#engine.db, kind, digest)
      if (!found) return null
      this.#learn(found)
      this.#put(found.credential)
      // Not the answer itself: a refresh may have brought its revocation while the answer was under way.
      credential = this.#byCredential.get(found.credential.credential) ?? found.credential
    }
    if (!this.#holds(credential)) {
      this.#tellEnded(credential)
      return null
    }
    const { tenant, device, name, profile, classification } = this.#devices.get(credential.device)!
    return { tenant, device, name, profile, classification, credential: credential.credential }
  }

  /** Somebody still shows what was revoked or has run out: a device that was forgotten, or a stolen key. */
  #tellEnded({ credential, device }: ListedCredential): void {
    const now = this.#engine.clock.now()
    if (now - (this.#endedAt.get(credential) ?? Number.NEGATIVE_INFINITY) < tellEndedEveryMs) return
    this.#endedAt.set(credential, now)
    const { tenant } = this.#devices.get(device)!
    this.#engine.db
      .asTenant(tenant, (tx) => tellSuspicion(this.#engine, tx, { device, reason: 'ended-credential' }))
      .catch((err: unknown) => {
        this.#endedAt.delete(credential)
        this.#engine.watch.log.warn(
          { err, device },
          'that an ended credential is shown could not be told; it is tried again',
        )
      })
  }

  #holds(credential: ListedCredential): boolean {
    if (credential.revokedAt !== null) return false
    return credential.expiresAt === null || this.#engine.clock.now() < credential.expiresAt
  }

  /** From a single look-up: never in place of what a refresh has brought meanwhile, which may be newer. */
  #learn({ device, zones }: FoundDevice): void {
    if (!this.#devices.has(device.device)) this.#devices.set(device.device, device)
    for (const { of, timeZone } of zones) if (!this.#zones.has(of)) this.#zones.set(of, timeZone)
  }

  #put(credential: ListedCredential): void {
    const known = this.#byCredential.get(credential.credential)
    // A revocation is for ever: an older answer that comes late does not undo it.
    if (known && known.revokedAt !== null) return
    this.#byCredential.set(credential.credential, credential)
    this.#byDigest.set(digestKey(credential.kind, credential.digest), credential)
  }
}

const digestKey = (kind: CredentialKind, digest: Buffer): string => `${kind}:${digest.toString('base64')}`
