/** The search against brute force: `npm run soak:fhir-search` asks two thousand queries, CI three hundred. */
import type { FhirTree, Resource } from '@careloop/fhir'
import { parseFhir } from '@careloop/fhir'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import { type TestEngine, testEngine } from '../../engine/testing/index.ts'
import { byTest, testSubjects } from '../../subjects/fixtures.ts'
import { makeClinical, makeFhirRoom } from '../make-clinical.ts'
import type { Searching } from '../rest/searching.ts'
import { chancesOf, searchCorpus } from '../testing/search-corpus.ts'
import { makeOracle, type Oracle } from '../testing/search-oracle.ts'
import { queryOf } from '../testing/search-queries.ts'
import { takeInSubjects } from '../views/take-in.ts'

const numRuns = Number(process.env.SEARCH_QUERIES ?? 300)
const base = 'https://care.example/fhir/R4'
let ground: TestEngine
let clock: ManualClock
let searching: Searching
let tenant: string
let oracle: Oracle

beforeAll(async () => {
  clock = makeManualClock(Date.parse('2026-02-01T12:00:00Z'))
  ground = await testEngine({ clock })
  tenant = await ground.tenant()
  const { consents } = testSubjects(ground.engine)
  const room = makeFhirRoom(ground.engine, { consents, takeIn: takeInSubjects(ground.engine), base })
  const clinical = makeClinical(room)
  searching = room.searching
  const corpus = searchCorpus(20_260_201, 150)
  for (const resource of corpus.filter(({ resourceType }) => resourceType === 'Patient'))
    await clinical.update(byTest(tenant), parseFhir(JSON.stringify(resource)))
  await ground.engine.db.asTenant(tenant, async (tx) => {
    for (const resource of corpus.filter(({ resourceType }) => resourceType !== 'Patient')) {
      const about = resource.subject as { reference: string } | undefined
      const id = about?.reference.startsWith('Patient/') === true ? about.reference.slice('Patient/'.length) : null
      const subject = id === null ? null : await clinical.subjectOfPatient(tx, id)
      clock.advance(1_000)
      await clinical.keepDerived(tx, [{ resource, subject, at: clock.now() }])
    }
  })
  oracle = makeOracle(await stored(clinical))
})
afterAll(() => ground?.stop())

/** What lies in the store, not what was sent: a Patient is a view of ours. */
async function stored(clinical: ReturnType<typeof makeClinical>): Promise<Resource[]> {
  return ground.engine.db.asTenant(tenant, async (tx) => {
    const { rows } = await tx.client.query<{ rid: string }>('select rid from tenant.clinical_resource order by seq')
    const opened = await clinical.openAll(
      tx,
      rows.map(({ rid }) => rid),
    )
    return [...opened.values()].map(({ text }) => JSON.parse(text) as Resource)
  })
}

async function found(type: string, query: string, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let next: string | undefined = `${query}&_count=${count}`; next !== undefined; ) {
    const pairs = [...new URLSearchParams(next)]
    const bundle: FhirTree = await searching.search({ by: byTest(tenant), type, pairs, base, isStrict: true })
    const entries = (bundle.entry ?? []) as unknown as { resource: { id: string } }[]
    ids.push(...entries.map(({ resource }) => resource.id))
    const links = bundle.link as unknown as { relation: string; url: string }[]
    next = links.find(({ relation }) => relation === 'next')?.url.split('?')[1]
  }
  return ids
}

test('search > finds what brute force over the definitions finds, each once on whichever page', async () => {
  let total = 0
  const wrong: unknown[] = []
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.constantFrom(5, 50, 1_000), async (seed, count) => {
      const { type, asked } = queryOf(oracle, chancesOf(seed))
      if (asked.length === 0) return
      const query = asked.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
      const wanted = [...oracle.find(type, asked, clock.now())].sort()
      const ids = await found(type, query, count)
      total += ids.length
      if (JSON.stringify(ids.toSorted()) !== JSON.stringify(wanted))
        wrong.push({ query: `${type}?${decodeURIComponent(query)}`, wanted, ids: ids.toSorted() })
    }),
    { numRuns, seed: 42, endOnFailure: true },
  )
  expect(wrong.slice(0, 5)).toEqual([])
  // An empty answer agrees with an empty answer: most must not be.
  expect(total).toBeGreaterThan(numRuns * 3)
})
