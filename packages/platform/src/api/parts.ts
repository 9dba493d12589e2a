/** What the HTTP shell is made of, as `app` hands it over. */

import type { Fact } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import type { DeviceByToken, Identity, PersonOrService, Route } from '../identity/index.ts'
import type { Sighted } from '../subjects/index.ts'
import type { TlsFiles } from './tls-files.ts'

/** One thing that must hold before traffic is sent here. `check` says what is wrong and what to do, or null. */
export interface Readiness {
  readonly name: string
  check(): Promise<string | null>
}

/** ms: until the head of a request is there, until its whole is, and how often that is looked at. */
export interface Patience {
  readonly headMs: number
  readonly wholeMs: number
  readonly lookMs: number
}

export interface ApiParts {
  readonly engine: Engine
  readonly identity: Identity
  /** Routes of the rooms before; the shell adds its own. */
  readonly routes: readonly Route[]
  readonly deviceByToken: DeviceByToken
  /** What decides who hears of these subjects; those that are not there are absent. Left out: nobody hears of any subject. */
  readonly subjectsOf?: (tenant: string, subjects: readonly string[]) => Promise<ReadonlyMap<string, Sighted>>
  /** Facts that the patient's consent keeps from whoever listens, as it stands now. Left out: nothing is held back. */
  readonly heldBack?: (principal: PersonOrService, facts: readonly Fact[]) => Promise<ReadonlySet<Fact>>
  readonly readiness: readonly Readiness[]
  /** Bearer token that opens /metrics from elsewhere than this machine; left out: loopback only. */
  readonly operatorToken?: string
  /** Where browsers reach us when a proxy stands before us, e.g. `https://care.example.org`. */
  readonly publicOrigin?: string
  /** Requests a second that one service token may go on asking. Default 2,000. */
  readonly servicePerSecond?: number
  /** For tests: how long a request may take to arrive. */
  readonly patience?: Patience
  /** Certificate and key of pages and API; left out: HTTP without TLS. */
  readonly tls?: TlsFiles
  /** Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed; left out: nobody's. */
  readonly trustedProxies?: readonly string[]
  /** Folder of the built web app; left out or missing: the API alone. */
  readonly webRoot?: string
  readonly version: string
  /** The data are a demo's: pages say so. Left out: they are not. */
  readonly isDemo?: boolean
}
