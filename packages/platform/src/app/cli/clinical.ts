/** `careloop clinical rebuild`: what the record says of readings and of other rooms' things, made again from what is stored. */
import { rebuildObservations, rebuildViews } from '../../clinical/index.ts'
import { appFailure } from '../errors.ts'
import type { Command, Options } from '../main.ts'
import type { Rooms } from '../rooms.ts'
import { tenantOf, withRooms } from './with-rooms.ts'

const USAGE = 'careloop clinical rebuild [--subject ID] [--since TIME] [--tenant NAME]. See: careloop help'
/** Between two lines about how far it is, ms. */
const tellEveryMs = 2_000

export const clinicalCommand: Command = async (config, [verb], options) => {
  if (verb !== 'rebuild') throw appFailure('usage', USAGE)
  const question = questionOf(options) // before the database is opened: a wrong option needs none
  await withRooms(config, (rooms) => rebuild(rooms, question, options))
}

interface Question {
  readonly subject?: string
  readonly since?: number
}

/** @throws Failure `usage` */
export function questionOf({ subject, since }: Options): Question {
  if (subject !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(String(subject)))
    throw appFailure('usage', '--subject is the id of a patient, a thing or a place.', { pointer: '/options/subject' })
  const at = since === undefined ? undefined : Date.parse(String(since))
  if (at !== undefined && !Number.isFinite(at))
    throw appFailure('usage', '--since is a time like 2026-11-01T00:00:00Z.', { pointer: '/options/since' })
  return {
    ...(subject === undefined ? {} : { subject: String(subject).toLowerCase() }),
    ...(at === undefined ? {} : { since: at }),
  }
}

export async function rebuild(
  { engine, clinical, views, ...rooms }: Rooms,
  question: Question,
  options: Options,
): Promise<void> {
  const { tenant } = await tenantOf({ engine, clinical, views, ...rooms }, options)
  // Patients and devices first: Observations point to them. Of one person, or of a time, only the readings are asked for.
  if (question.subject === undefined && question.since === undefined)
    await rebuildViews(engine, views, tenant, ({ view, things }) => console.log(`${view}: ${things}`))
  let toldAt = 0
  const done = await rebuildObservations(engine, clinical, { tenant, ...question }, (at, of) => {
    const now = engine.clock.now()
    if (at < of && now - toldAt < tellEveryMs) return
    toldAt = now
    console.log(`${at} of ${of} devices`)
  })
  const { looked, written } = done
  console.log(`${looked} resources follow from the readings; ${written} were missing or different, and are written.`)
}
