/** Conditions on versions, as headers say them. */
import type { Expected } from '../clinical.ts'
import { clinicalFailure } from '../errors.ts'
import type { Stored } from '../stored.ts'
import { type Conditions, etagOf } from './request.ts'

/** If-Match and If-None-Match of a change. @throws Failure `version-unsaid` */
export function expectedOf({ ifMatch, ifNoneMatch }: Conditions): Expected {
  return {
    ...(ifMatch === undefined || ifMatch.trim() === '*' ? {} : { version: versionIn(ifMatch) }),
    ...(ifNoneMatch?.trim() === '*' ? { isNew: true } : {}),
  }
}

function versionIn(header: string): number {
  const found = /^\s*(?:W\/)?"(\d{1,9})"\s*$/.exec(header)
  if (found !== null) return Number(found[1])
  throw clinicalFailure('version-unsaid', 'If-Match takes the ETag of the version that was read, for example W/"3".')
}

/** Whether the asker has it already: 304. */
export function isUnchanged({ ifNoneMatch, ifModifiedSince }: Conditions, stored: Stored): boolean {
  if (ifNoneMatch !== undefined)
    return ifNoneMatch
      .split(',')
      .some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etagOf(stored).slice(2))
  if (ifModifiedSince === undefined) return false
  const since = Date.parse(ifModifiedSince)
  // The header has whole seconds.
  return !Number.isNaN(since) && Math.floor(stored.updatedAt / 1000) * 1000 <= since
}
