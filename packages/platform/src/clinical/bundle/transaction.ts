/**
 * A transaction: all of it or nothing. Conditions and conditional references are resolved first, then come deletions, creations,
 * updates and patches, at last readings, whatever their order in the Bundle (searches when it is committed); references inside point to where their targets stand.
 */
import type { FhirTree } from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import { clinicalFailure } from '../errors.ts'
import { holdConditions, matchOf } from '../rest/conditional.ts'
import { pairsIn } from '../rest/context.ts'
import { type FhirRoom, writtenAnswer } from '../rest/fhir-room.ts'
import { changeByPatch } from '../rest/patch-body.ts'
import { perform } from '../rest/perform.ts'
import { expectedOf } from '../rest/preconditions.ts'
import { type FhirAnswer, type FhirRequest, locationOf } from '../rest/request.ts'
import { grantFor } from '../rights.ts'
import { type Change, changeOf } from '../store/change.ts'
import { commitAll } from '../store/commit.ts'
import { again } from '../store/made-meanwhile.ts'
import { patchedChange, removeWithin } from '../store/write.ts'
import type { Stored } from '../stored.ts'
import { inEntry, isSearch, namingEntry, type Plan, planOf, type Step } from './plan.ts'
import { readEntry } from './read-entry.ts'
import { answerEntry, bundleOf, type Wanted } from './response.ts'
import { type Addresses, rewritten } from './rewrite.ts'

export async function performTransaction(room: FhirRoom, request: FhirRequest, wanted: Wanted): Promise<FhirAnswer> {
  const plan = await planOf(room, request)
  await room.parts.consents.gate(request.by)
  const answers = await again(() =>
    room.ground.engine.db.asTenant(request.by.tenant, (tx) => new Transaction(room, request, tx).run(plan)),
  )
  // Of what is committed now: their parameters were read before, so that a wrong one is told before anything is done.
  for (const { entry } of plan.steps)
    if (isSearch(entry)) answers[entry.at] = await perform(room, { ...request, ...entry })
  const entries = answers.map((answer) => answerEntry(answer, wanted))
  return { status: 200, body: { tree: bundleOf('transaction-response', entries) } }
}

/** A step whose resource is known by now: where it stands, or that it is there already. */
interface Placed {
  readonly step: Step
  readonly id: string
  /** A conditional create found it: nothing is done. */
  readonly there?: Stored
}

/** Patients first, because others are of them; what is of another resource comes after that one. */
const order: Readonly<Record<string, number>> = { Patient: 0, Location: 1, Device: 2, Provenance: 4, Binary: 4 }
const passes = [0, 1, 2, 3, 4]

class Transaction {
  readonly #room: FhirRoom
  readonly #request: FhirRequest
  readonly #tx: TenantTx
  readonly #answers: FhirAnswer[] = []
  /** Subjects behind what was written here, by `Type/id`. */
  readonly #known = new Map<string, string | null>()

  constructor(room: FhirRoom, request: FhirRequest, tx: TenantTx) {
    this.#room = room
    this.#request = request
    this.#tx = tx
  }

  async run(plan: Plan): Promise<FhirAnswer[]> {
    await holdConditions(this.#tx, plan.locks)
    const writes = plan.steps.filter(({ entry }) => entry.method !== 'GET')
    const placed: Placed[] = []
    for (const step of writes) placed.push(...(await inEntry(step.entry.at, () => this.#place(step))))
    const addresses = await this.#addresses(plan, placed)
    for (const each of placed) if (each.step.entry.method === 'DELETE') await this.#remove(each)
    for (const pass of passes)
      await this.#write(
        placed.filter((each) => passOf(each) === pass),
        addresses,
      )
    for (const step of plan.steps)
      if (step.entry.method === 'GET' && !isSearch(step.entry))
        this.#answers[step.entry.at] = await inEntry(step.entry.at, () =>
          readEntry(this.#room, this.#tx, this.#request, step.entry),
        )
    return this.#answers
  }

  /** Empty: a condition found nothing, and nothing is to be done. */
  async #place(step: Step): Promise<Placed[]> {
    const { condition, granted, entry, id } = step
    if (condition === undefined) return [{ step, id: id! }]
    const match = await matchOf(this.#room, this.#tx, granted, condition)
    if (entry.method === 'POST') return [match === null ? { step, id: id! } : { step, id: match.id, there: match }]
    if (match !== null) return [{ step, id: match.id }]
    if (entry.method === 'DELETE') {
      this.#answers[entry.at] = { status: 204 }
      return []
    }
    if (entry.method === 'PATCH') throw clinicalFailure('resource-not-found', 'No resource fulfils this condition.')
    const sent = entry.tree?.id
    return [{ step, id: typeof sent === 'string' ? sent : this.#room.ground.engine.ids.uuid() }]
  }

  /** Names of entries and conditional references, to where they stand. */
  async #addresses(plan: Plan, placed: readonly Placed[]): Promise<Addresses> {
    const addresses = new Map<string, string>()
    for (const { step, id } of placed) {
      const { fullUrl, tree, method } = step.entry
      if (fullUrl === undefined) continue
      const there = `${step.type}/${id}`
      addresses.set(fullUrl, there)
      // Relative references mean an entry of the same base (FHIR R4, 2.36.4.1): one that gets another id here.
      const old = typeof tree?.id === 'string' ? `${step.type}/${tree.id}` : undefined
      if (method === 'POST' && old !== undefined && fullUrl.endsWith(`/${old}`)) addresses.set(old, there)
    }
    for (const reference of plan.references) addresses.set(reference, await this.#resolved(reference))
    return addresses
  }

  /** @throws Failure `condition-ambiguous`, `resource-not-found` */
  async #resolved(reference: string): Promise<string> {
    const [type, query] = [reference.slice(0, reference.indexOf('?')), reference.slice(reference.indexOf('?') + 1)]
    const granted = grantFor(this.#request.by, type, 'r')
    const match = await matchOf(this.#room, this.#tx, granted, pairsIn(query))
    if (match !== null) return `${type}/${match.id}`
    throw clinicalFailure(
      'condition-ambiguous',
      `A conditional reference to a ${type} finds none. Send that one first.`,
    )
  }

  async #remove({ step, id }: Placed): Promise<void> {
    const { entry, granted } = step
    const gone = await inEntry(entry.at, () =>
      removeWithin(this.#room, this.#tx, granted, { id, expected: expectedOf(entry.conditions) }),
    )
    this.#answers[entry.at] = { status: 204, ...(gone === null ? {} : { stored: gone }) }
  }

  async #write(placed: readonly Placed[], addresses: Addresses): Promise<void> {
    const { base } = this.#request
    const changes: Change[] = []
    const steps: Step[] = []
    for (const { step, id, there } of placed) {
      if (there !== undefined) {
        this.#known.set(`${step.type}/${id}`, there.subject)
        this.#answers[step.entry.at] = { status: 200, stored: there, location: locationOf(base, there) }
        continue
      }
      changes.push(await inEntry(step.entry.at, () => this.#changeOf(step, id, addresses)))
      steps.push(step)
    }
    const outcomes = changes.length === 0 ? [] : await commitAll(this.#room, this.#tx, changes, this.#known)
    for (const [at, outcome] of outcomes.entries()) {
      const { entry } = steps[at]!
      if ('failure' in outcome) throw namingEntry(entry.at, outcome.failure)
      const { stored } = outcome.written
      this.#known.set(`${stored.type}/${stored.id}`, stored.subject)
      this.#answers[entry.at] = writtenAnswer(outcome.written, base)
    }
  }

  async #changeOf({ entry, granted }: Step, id: string, addresses: Addresses): Promise<Change> {
    const expected = expectedOf(entry.conditions)
    if (entry.method === 'PATCH') {
      const patch = changeByPatch(entry.patch!)
      const change = (tree: FhirTree) => rewritten(patch(tree), addresses)
      return patchedChange(this.#room, this.#tx, granted, { id, change, expected })
    }
    const mode = entry.method === 'POST' ? 'create' : 'put'
    return changeOf(this.#room, granted, rewritten(entry.tree!, addresses), mode, { id, expected, isValid: true })
  }
}

const passOf = ({ step }: Placed): number | null => (step.entry.method === 'DELETE' ? null : (order[step.type] ?? 3))
