/** What an assessment says to people. */
import type { BreachFactor, BreachView } from '@careloop/contract'

export const statusWords: Readonly<Record<BreachView['status'], string>> = {
  assessing: 'being assessed',
  notifiable: 'people must be told',
  'low-probability': 'probably no breach',
  closed: 'closed',
}

/** The four factors of 45 CFR 164.402(2), as questions. */
export const factorWords: Readonly<Record<BreachFactor, string>> = {
  'nature-of-data': 'Which data, and how easily do they tell of whom?',
  'who-received-it': 'Who saw or received them?',
  'acquired-or-viewed': 'Were they in fact taken or seen?',
  mitigation: 'What was done about the risk, and how far does it reach?',
}

export const stepWords = { individuals: 'Tell each person', hhs: 'Tell HHS', media: 'Tell the media' } as const
type Step = keyof typeof stepWords
const steps = Object.keys(stepWords) as Step[]

/** Deadlines that apply, in the order of the law. */
export const deadlinesOf = ({ deadlines }: Pick<BreachView, 'deadlines'>) =>
  steps.flatMap((step) => {
    const deadline = deadlines[step]
    return deadline === null ? [] : [{ step, what: stepWords[step], ...deadline }]
  })

/** What is due first and not done; null when nothing is, or nothing has to be. */
export function nextDeadline(breach: Pick<BreachView, 'deadlines' | 'status'>): { what: string; at: number } | null {
  if (breach.status === 'closed' || breach.status === 'low-probability') return null
  const [first] = deadlinesOf(breach)
    .filter(({ doneAt }) => doneAt === null)
    .sort((a, b) => a.dueAt - b.dueAt)
  return first === undefined ? null : { what: `${first.what[0]!.toLowerCase()}${first.what.slice(1)}`, at: first.dueAt }
}

const utcDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' })
/** The last day of a deadline, as it is counted: an hour of the viewer's zone would name the day after. */
export const dueDay = (at: number): string => `${utcDay.format(at)} (UTC)`
