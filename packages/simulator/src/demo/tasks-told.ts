/** Says on the terminal when a task appears or its condition comes back, as the worklist shows it at the same moment. */
import type { WorklistRow } from '@careloop/contract'
import type { By, Platform } from '@careloop/platform'
import type { People } from './people.ts'

type Rooms = Platform['rooms']

/** @returns the end */
export function tellOfTasks(rooms: Rooms, people: People, say: (line: string) => void): () => Promise<void> {
  const tell = async (tenant: string, at: number, word: string, isMeant: (row: WorklistRow) => boolean) => {
    const by = Object.values(people.by).find((each) => each.tenant === tenant)
    const row = by && (await rowsOf(rooms, by)).find(isMeant)
    if (row) say(`${clock(at)}  ${word.padEnd(6)} ${sentence(row)}`)
  }
  // A line that cannot be said (the server is stopping) is no failure of the demo.
  const quietly = (telling: Promise<void>) => void telling.catch(() => {})
  const stops = [
    rooms.engine.db.onFacts(['TaskOpened'], ({ tenant, at, body }) => {
      if ('task' in body) quietly(tell(tenant, at, 'task', (row) => row.task === body.task))
    }),
    rooms.engine.db.onFacts(['AlertRecurred'], ({ tenant, at, body }) => {
      if ('alert' in body) quietly(tell(tenant, at, 'again', (row) => row.alert === body.alert))
    }),
  ]
  return async () => {
    for (const stop of stops) stop()
  }
}

/** How many tasks earlier runs left open. */
export async function openTasks(rooms: Rooms, people: People): Promise<number> {
  const lists = await Promise.all(Object.values(people.by).map((by) => rooms.workflow.worklist(by)))
  return lists.reduce((sum, { total }) => sum + total, 0)
}

const rowsOf = async (rooms: Rooms, by: By): Promise<readonly WorklistRow[]> => (await rooms.workflow.worklist(by)).rows

function sentence({ title, subject, value, historic, owner }: WorklistRow): string {
  return `${title}: ${subject.name}, ${[value.text, value.unit].join(' ').trim()}${historic ? ' (found late)' : ''} -> ${owner.name}`
}

export const clock = (at: number): string => new Date(at).toTimeString().slice(0, 8)
