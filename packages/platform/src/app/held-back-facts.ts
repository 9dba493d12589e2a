/**
 * Which facts a live page or program may hear of: asked of consent as it stands when they are told, so that a withdrawal holds from the
 * next event on.
 */
import type { Fact } from '@careloop/contract'
import { thingsOfAlerts } from '../alerting/index.ts'
import type { ApiParts } from '../api/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { Gate, Subjects, Thing } from '../subjects/index.ts'
import { signalsOfSeries } from '../telemetry/index.ts'
import { alertsOfTasks } from '../workflow/index.ts'

/** A fact of one patient, and what it tells of them. */
interface Told {
  readonly fact: Fact
  readonly subject: string
  readonly thing: Thing
}

export const heldBackFacts =
  (engine: Engine, { consents }: Pick<Subjects, 'consents'>): NonNullable<ApiParts['heldBack']> =>
  async (principal, facts) => {
    const { tenant } = principal
    const gate = await consents.gate({ tenant, actor: '', who: principal })
    if (gate.everything) return new Set()
    return engine.db.asTenant(tenant, async (tx) => {
      const doubtful = await doubtfulOf(tx, gate, facts)
      const heldBack = new Set<Fact>()
      for (const { fact, subject, thing } of await toldOf(tx, doubtful))
        if (!(await gate.shown(tx, subject)).may(thing)) heldBack.add(fact)
      return heldBack
    })
  }

/** Those about somebody of whom not everything is shown; of a series it is not known yet whose it is. */
async function doubtfulOf(tx: TenantTx, gate: Gate, facts: readonly Fact[]): Promise<Fact[]> {
  const isOpen = new Map<string, boolean>()
  const doubtful: Fact[] = []
  for (const fact of facts) {
    const subject = subjectOf(fact)
    if (subject === undefined && seriesOf(fact).length === 0) continue
    if (subject !== undefined && !isOpen.has(subject)) isOpen.set(subject, (await gate.shown(tx, subject)).everything)
    if (subject === undefined || isOpen.get(subject) !== true) doubtful.push(fact)
  }
  return doubtful
}

async function toldOf(tx: TenantTx, facts: readonly Fact[]): Promise<Told[]> {
  if (facts.length === 0) return []
  const tasks = await alertsOfTasks(
    tx,
    facts.flatMap((fact) => idIn(fact, 'task')),
  )
  const alerts = await thingsOfAlerts(tx, [...facts.flatMap((fact) => idIn(fact, 'alert')), ...tasks.values()])
  const series = await signalsOfSeries(tx, facts.flatMap(seriesOf))
  return facts.flatMap((fact): Told[] => {
    const subject = subjectOf(fact)
    const [task] = idIn(fact, 'task')
    const [alert] = task === undefined ? idIn(fact, 'alert') : [tasks.get(task)]
    if (subject === undefined)
      return seriesOf(fact).flatMap((id) => {
        const known = series.get(id)
        return known === undefined ? [] : [{ fact, subject: known.subject, thing: { signals: [known.signal] } }]
      })
    // What is not there any more tells of nothing that anybody could have consented to.
    if (task !== undefined || alert !== undefined)
      return [{ fact, subject, thing: (alert === undefined ? undefined : alerts.get(alert)) ?? {} }]
    return [{ fact, subject, thing: { class: 'person', ...programIn(fact) } }]
  })
}

const subjectOf = ({ body }: Fact): string | undefined => ('subject' in body ? body.subject : undefined)

function idIn({ body }: Fact, name: 'task' | 'alert'): string[] {
  const id = (body as Readonly<Record<string, unknown>>)[name]
  return typeof id === 'string' ? [id] : []
}

const programIn = ({ body }: Fact): { program?: string } => ('program' in body ? { program: body.program } : {})

function seriesOf({ type, body }: Fact): string[] {
  if (type === 'GapChanged') return [(body as Fact<'GapChanged'>['body']).series].filter((id) => id !== '')
  if (type !== 'SeriesMoved') return []
  const { from, to } = body as Fact<'SeriesMoved'>['body']
  return [from, to].filter((id) => id !== '')
}
