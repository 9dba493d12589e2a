/**
 * The demo's first minute: what each kind of person does first, and how the page knows that they have done it. Steps tick by what
 * the person really did (what was read, claimed, completed, opened), never by a click on the step itself.
 */
import type { Me, TaskBody, WorklistRow } from '@careloop/contract'

/** What the page has seen of the person and of Careloop by now. */
export interface Seen {
  readonly me: Pick<Me, 'id'>
  /** The worklist as it was last read; undefined = not yet. */
  readonly rows: readonly WorklistRow[] | undefined
  /** Tasks that were opened. */
  readonly tasks: readonly TaskBody[]
  /** Alerts of which the proof was read. */
  readonly explained: ReadonlySet<string>
  readonly path: string
}

export interface Step {
  /** Unique over all lists; what is remembered when it is done. */
  readonly id: string
  readonly title: string
  /** What to do, in one sentence. */
  readonly hint: string
  readonly isDone: (seen: Seen) => boolean
}

const isCrisis = ({ priority, subject }: WorklistRow): boolean => priority === 'high' && subject.kind === 'patient'
const isThing = ({ subject }: WorklistRow): boolean => subject.kind !== 'patient'

/** The same four acts on whatever the person's alert is about. */
const acts = (list: string, isMeant: (row: WorklistRow) => boolean, arrives: Pick<Step, 'title' | 'hint'>): Step[] => [
  { id: `${list}/arrives`, ...arrives, isDone: ({ rows }) => rows?.some(isMeant) ?? false },
  {
    id: `${list}/why`,
    title: 'See why',
    hint: 'Open its row: the sentence, the readings with the limit, the rule and who owns it, the bytes as the device sent them.',
    isDone: ({ tasks, explained }) => tasks.some((task) => isMeant(task) && explained.has(task.alert)),
  },
  {
    id: `${list}/claim`,
    title: 'Claim it',
    hint: 'Press c, or the button: from now on your colleagues see that you have it.',
    isDone: ({ rows, tasks, me }) => [...(rows ?? []), ...tasks].some(({ claimedBy }) => claimedBy?.id === me.id),
  },
  {
    id: `${list}/close`,
    title: 'Close it',
    hint: 'Press d, or the button, and say what you did. The record keeps it with your name.',
    isDone: ({ tasks, me }) =>
      tasks.some(({ status, completedBy }) => status === 'completed' && completedBy?.id === me.id),
  },
]

const board: Step = {
  id: 'board',
  title: 'Look at the refrigerators',
  hint: 'They belong to the pharmacy. Sign in as facilities@pharmacy.example, in another window, and open the board: a door stands open.',
  isDone: ({ path }) => path === '/board' || path.startsWith('/board/'),
}

const visit = (path: string, title: string, hint: string): Step => ({
  ...{ id: `visit${path}`, title, hint },
  isDone: (seen) => seen.path === path || seen.path.startsWith(`${path}/`),
})

const clinic: readonly Step[] = [
  ...acts('clinic', isCrisis, {
    title: 'See a crisis come in',
    hint: 'Wait on the worklist: within half a minute a cuff publishes 190/124 mmHg twice over MQTT. Nobody loads the page again.',
  }),
  board,
]

const pharmacy: readonly Step[] = [
  ...acts('pharmacy', isThing, {
    title: 'See an excursion come in',
    hint: 'Wait on the worklist: within half a minute a probe tells that Vaccine refrigerator 1 is too warm.',
  }),
  { ...board, hint: 'Open the board: each refrigerator with its value, its band and what is open about it.' },
]

const keepers: readonly Step[] = [
  visit('/devices', 'Look at the devices', 'Which are connected, which are silent, whose battery is low.'),
  visit(
    '/quarantine',
    'Look at what could not be read',
    'A device sends rubbish within two minutes: it is kept, counted and shown.',
  ),
]

/** What a person of these roles does first. */
export function stepsFor({ roles }: Pick<Me, 'roles'>): readonly Step[] {
  if (roles.includes('nurse') || roles.includes('physician')) return clinic
  return roles.includes('facilities') || roles.includes('pharmacist') ? pharmacy : keepers
}

/** Ids of the steps that what was seen shows to be done. */
export const doneBy = (steps: readonly Step[], seen: Seen): readonly string[] =>
  steps.filter(({ isDone }) => isDone(seen)).map(({ id }) => id)
