/**
 * Known vulnerabilities of what is installed at run time, as the registry tells them (`npm audit`). A registry that is not there, or
 * is a mirror without advisories, cannot answer: that is said aloud and fails only where an answer is demanded
 * (CARELOOP_ADVISORIES=required, for release builds).
 */
import { npm } from '../source/npm.ts'

interface Audit {
  readonly message?: string
  readonly vulnerabilities?: Readonly<Record<string, Vulnerability>>
}

interface Vulnerability {
  readonly severity: string
  readonly range: string
  readonly via: readonly (string | { readonly title?: string; readonly url?: string })[]
}

/** Advisories that were judged: the reason says why they do not reach Careloop (VEX: not_affected), and which one. */
export const JUDGED: Readonly<Record<string, string>> = {}

export interface Advisories {
  readonly problems: readonly string[]
  /** Why nothing is known; null = the registry answered. */
  readonly unasked: string | null
}

export function askAdvisories(): Advisories {
  const { stdout } = npm([
    'audit',
    '--package-lock-only',
    '--omit=dev',
    '--json',
    '--fetch-retries=0',
    '--fetch-timeout=15000',
  ])
  return advisoriesOf(stdout)
}

/** Pure: what `npm audit --json` said. */
export function advisoriesOf(said: string, judged = JUDGED): Advisories {
  const audit = parsed(said)
  if (audit?.vulnerabilities === undefined)
    return { problems: [], unasked: audit?.message ?? 'npm audit gave no answer' }
  const problems = Object.entries(audit.vulnerabilities).flatMap(([name, { severity, range, via }]) => {
    const told = via.flatMap((each) => (typeof each === 'string' ? [] : [each]))
    const open = told.filter(({ url }) => url === undefined || judged[url] === undefined)
    return open.map(
      ({ title, url }) => `${name} ${range}: ${severity}, ${title ?? 'no title'} (${url ?? 'no address'})`,
    )
  })
  return { problems, unasked: null }
}

function parsed(said: string): Audit | null {
  try {
    return JSON.parse(said) as Audit
  } catch {
    return null
  }
}
