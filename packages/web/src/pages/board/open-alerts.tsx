/** What is open about a unit, since when, who has it; claimed from here, explained and completed beside the board. */
import type { BoardUnit } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { queries } from '../../api/queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { PriorityMark } from '../../parts/priority-mark.tsx'
import { useWhyNot } from '../../parts/why-not.ts'
import { countText, momentText, overWords, spanText } from '../../parts/words.ts'
import classes from './board.module.css'

type OpenAlert = BoardUnit['alerts'][number]

export function OpenAlerts({ unit }: { unit: BoardUnit }) {
  if (unit.alerts.length === 0) return null
  return (
    <ul className={classes.alerts}>
      {unit.alerts.map((alert) => (
        <AlertRow key={alert.alert} alert={alert} of={unit.subject.name} />
      ))}
    </ul>
  )
}

function AlertRow({ alert, of }: { alert: OpenAlert; of: string }) {
  const now = useNow()
  const { sentence, since, condition, claimedBy } = alert
  return (
    <li className={classes.alert}>
      <PriorityMark priority={alert.priority} nature={alert.nature} />
      <div>
        <strong>{sentence}</strong>
        <div className={classes.soft}>
          {momentText(since, now)}, {spanText(now - since)} ago
          {alert.firstRaisedAt === undefined
            ? ''
            : `, first ${momentText(alert.firstRaisedAt, now)}, came back ${countText(alert.timesBack ?? 1, 'time')}`}{' '}
          · {condition === 'active' ? 'still there' : overWords(alert)} ·{' '}
          {claimedBy === undefined ? 'nobody has it yet' : `${claimedBy} has it`}
        </div>
        {alert.task === null ? null : <WhatToDo task={alert.task} alert={alert} of={of} />}
      </div>
    </li>
  )
}

function WhatToDo({ task: id, alert, of }: { task: string; alert: OpenAlert; of: string }) {
  const mayRead = useMay('read', 'task')
  const task = useQuery({ ...queries.task(id), enabled: mayRead, staleTime: 60_000 }).data
  const navigate = useNavigate({ from: '/board' })
  const why = useWhyNot('act', 'task')
  const claim = useClaim(id, task?.version)
  if (!mayRead) return null
  return (
    <>
      {task === undefined ? null : (
        <p className={classes.todo}>
          <strong>What to do:</strong> {task.rule.action}
        </p>
      )}
      <div className={classes.acts}>
        {alert.claimedBy === undefined ? (
          <Button
            mih={44}
            loading={claim.isPending}
            disabled={why !== null}
            title={why ?? undefined}
            onClick={() => claim.mutate()}
            aria-label={`Claim: ${alert.title}, ${of}`}
          >
            Claim
          </Button>
        ) : null}
        <Button
          variant="default"
          mih={44}
          onClick={() => void navigate({ search: (before) => ({ ...before, task: id }) })}
          aria-label={`Open: ${alert.title}, ${of}`}
        >
          Open
        </Button>
        {claim.error === null ? null : <Text role="alert">{claim.error.message}</Text>}
      </div>
    </>
  )
}

function useClaim(id: string, version: number | undefined) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => call(endpoints.claim, { params: { id }, query: { version } }),
    onSuccess: (task) => client.setQueryData(queries.task(id).queryKey, task),
    onSettled: () =>
      Promise.all([['board'], ['worklist'], ['task', id]].map((queryKey) => client.invalidateQueries({ queryKey }))),
  })
}
