/** Says on the terminal when a task appears, as the worklist shows it at the same moment. */
import type { Platform } from '@careloop/platform'
import type { People } from './people.ts'

type Rooms = Platform['rooms']

/** @returns the end */
export function tellOfTasks(rooms: Rooms, people: People, say: (line: string) => void): () => Promise<void> {
  const stop = rooms.engine.db.onFacts(['TaskOpened'], (fact) => {
    const by = Object.values(people.by).find(({ tenant }) => tenant === fact.tenant)
    if (!by || !('task' in fact.body)) return
    rooms.workflow.task(by, fact.body.task).then(
      ({ title, subject, owner, value, historic }) => {
        const late = historic ? ' (found late)' : ''
        say(`${clock(fact.at)}  task  ${title}: ${subject.name}, ${value.text} ${value.unit}${late} -> ${owner.name}`)
      },
      // Erased or handled meanwhile: there is nothing to tell.
      () => {},
    )
  })
  return async () => stop()
}

const clock = (at: number): string => new Date(at).toTimeString().slice(0, 8)
