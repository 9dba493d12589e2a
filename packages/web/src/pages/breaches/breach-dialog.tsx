/** One assessment: whom it affects, the four factors, the clocks. */
import type { BreachFactor, BreachView } from '@careloop/contract'
import { Button, Group, Radio, Stack, Text, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { complianceQueries } from '../../api/compliance-queries.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { Refusal } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { useOffline } from '../../parts/why-not.ts'
import { countText, momentText, viewerZone } from '../../parts/words.ts'
import { actorWords } from '../audit/words.ts'
import { deadlinesOf, dueDay, factorWords, statusWords } from './words.ts'

export function BreachDialog({ breach }: { breach: BreachView }) {
  const now = useNow()
  const may = useMay('act', 'breach')
  const { scope } = breach
  return (
    <Stack gap="md">
      <div>
        <Text fw={600}>
          {countText(breach.affected, 'person', 'people')} affected · {statusWords[breach.status]}
        </Text>
        <Text>{breach.what}</Text>
        <Text c="dimmed">
          Discovered {momentText(breach.discoveredAt, now)}. Access from {momentText(scope.from, now)} until{' '}
          {momentText(scope.to, now)}; counted {momentText(breach.computedAt, now)}. Opened by{' '}
          {actorWords(breach.openedBy)}. Times are in {viewerZone}.
        </Text>
      </div>
      <People breach={breach} may={may} />
      {breach.status === 'assessing' ? may ? <Decide breach={breach} /> : null : <Clocks breach={breach} may={may} />}
      {breach.factors === null ? null : <Factors factors={breach.factors} />}
    </Stack>
  )
}

function useAct<V>(act: (value: V) => Promise<BreachView>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: act,
    onSettled: () => client.invalidateQueries({ queryKey: complianceQueries.breaches.queryKey }),
  })
}

function People({ breach, may }: { breach: BreachView; may: boolean }) {
  const params = { id: breach.id }
  const again = useAct(() => call(endpoints.recomputeBreach, { params, body: { version: breach.version } }))
  const save = useMutation({
    async mutationFn() {
      const lines = ['record,first,last,times']
      let after: string | undefined
      do {
        const page = await call(endpoints.breachPeople, { params, query: { after } })
        for (const { subject, firstAt, lastAt, times } of page.items)
          lines.push([subject, new Date(firstAt).toISOString(), new Date(lastAt).toISOString(), times].join(','))
        after = page.next ?? undefined
      } while (after !== undefined)
      const url = URL.createObjectURL(new Blob([`${lines.join('\n')}\n`], { type: 'text/csv' }))
      Object.assign(document.createElement('a'), { href: url, download: `affected-${breach.id}.csv` }).click()
      URL.revokeObjectURL(url)
    },
  })
  return (
    <div>
      <Group>
        <Button variant="default" mih={44} loading={save.isPending} onClick={() => save.mutate()}>
          Save the list of records
        </Button>
        {may && breach.status !== 'closed' ? (
          <Button variant="default" mih={44} loading={again.isPending} onClick={() => again.mutate(undefined)}>
            Count anew
          </Button>
        ) : null}
      </Group>
      <Text c="dimmed" mt={4}>
        The list names records, no people: whoever writes the letters looks the names up in the record.
      </Text>
      <Refusal error={save.error ?? again.error} />
    </div>
  )
}

const factors = Object.keys(factorWords) as BreachFactor[]

function Decide({ breach }: { breach: BreachView }) {
  const offline = useOffline()
  const [words, setWords] = useState<Partial<Record<BreachFactor, string>>>({})
  const [outcome, setOutcome] = useState<'notifiable' | 'low-probability' | ''>('')
  const isWhole = outcome !== '' && factors.every((factor) => (words[factor]?.trim().length ?? 0) >= 10)
  const decide = useAct(() =>
    call(endpoints.decideBreach, {
      params: { id: breach.id },
      body: {
        ...{ version: breach.version, outcome: outcome || 'notifiable' },
        factors: Object.fromEntries(factors.map((factor) => [factor, words[factor]!.trim()])) as Record<
          BreachFactor,
          string
        >,
      },
    }),
  )
  const why = isWhole ? offline : 'Answer each question in a sentence, and choose.'
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (why === null) decide.mutate(undefined)
      }}
    >
      <Stack gap="sm">
        {factors.map((factor) => (
          <Textarea
            key={factor}
            label={factorWords[factor]}
            autosize
            minRows={2}
            value={words[factor] ?? ''}
            onChange={(event) => setWords({ ...words, [factor]: event.currentTarget.value })}
          />
        ))}
        <Radio.Group
          label="It is"
          value={outcome}
          onChange={(value) => setOutcome(value as 'notifiable' | 'low-probability')}
        >
          <Stack gap={4} mt={4}>
            <Radio value="notifiable" label="a breach: people must be told" />
            <Radio value="low-probability" label="probably no breach: a low probability that data were compromised" />
          </Stack>
        </Radio.Group>
        {why === null ? null : <Text role="status">{why}</Text>}
        <Refusal error={decide.error} />
        <Group justify="flex-end">
          <Button type="submit" mih={44} loading={decide.isPending} disabled={why !== null}>
            Decide
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function Clocks({ breach, may }: { breach: BreachView; may: boolean }) {
  const now = useNow()
  const isOpen = breach.status === 'notifiable'
  const waits = isOpen && deadlinesOf(breach).some(({ doneAt }) => doneAt === null)
  const step = useAct((name: 'individuals' | 'hhs' | 'media' | 'closed') =>
    call(endpoints.breachStep, { params: { id: breach.id }, body: { version: breach.version, step: name } }),
  )
  return (
    <div>
      {isOpen || breach.deadlines.individuals.doneAt !== null ? (
        <ul className={rows.rows} aria-label="Who must be told">
          {deadlinesOf(breach).map(({ step: name, what, dueAt, doneAt }) => (
            <li key={name} className={rows.row}>
              <div className={rows.what}>
                {what}
                <div className={rows.soft}>
                  {doneAt === null
                    ? `until the end of ${dueDay(dueAt)}${dueAt < now ? ', overdue' : ''}`
                    : `done ${momentText(doneAt, now)}`}
                </div>
              </div>
              {isOpen && may && doneAt === null ? (
                <Button
                  variant="default"
                  mih={44}
                  loading={step.isPending && step.variables === name}
                  disabled={step.isPending}
                  onClick={() => step.mutate(name)}
                  aria-label={`Done: ${what}`}
                >
                  Done
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
      ) : null}
      <Refusal error={step.error} />
      {may && breach.status !== 'closed' ? (
        <Group mt="sm">
          <Button
            mih={44}
            variant="default"
            loading={step.isPending && step.variables === 'closed'}
            disabled={waits || step.isPending}
            onClick={() => step.mutate('closed')}
          >
            Close the assessment
          </Button>
          {waits ? <Text c="dimmed">It can be closed when everybody was told whom the law names.</Text> : null}
        </Group>
      ) : null}
    </div>
  )
}

function Factors({ factors: given }: { factors: Partial<Record<BreachFactor, string>> }) {
  return (
    <dl>
      {factors.map((factor) => (
        <div key={factor}>
          <dt>
            <Text fw={600}>{factorWords[factor]}</Text>
          </dt>
          <dd style={{ marginInlineStart: 0 }}>{given[factor]}</dd>
        </div>
      ))}
    </dl>
  )
}
