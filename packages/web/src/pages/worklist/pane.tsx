/** The pane that explains a task: why, what proves it, what to do, what was done; and the two acts. */
import type { ExplainBody, TaskBody } from '@careloop/contract'
import { Button, Checkbox, CloseButton, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { ApiError, call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { queries } from '../../api/queries.ts'
import { serverNow } from '../../app/clock.ts'
import { useLive } from '../../app/live-context.tsx'
import { useMay, useMe } from '../../app/session.tsx'
import { useKeys } from '../../app/use-keys.ts'
import { Age } from '../../parts/age.tsx'
import { Failed, Loading, NotRenewed } from '../../parts/page-state.tsx'
import { PriorityMark, priorityWords } from '../../parts/priority-mark.tsx'
import { TimeLeft } from '../../parts/time-left.tsx'
import { momentText } from '../../parts/words.ts'
import { CompleteDialog } from './complete-dialog.tsx'
import { Evidence } from './evidence.tsx'
import { Lineage, Rule, Story } from './proof.tsx'
import classes from './worklist.module.css'

export interface PaneProps {
  readonly task: string
  readonly onClose: () => void
  readonly onCompleted: (task: string, words: string) => void
}

export function Pane({ task: id, onClose, onCompleted }: PaneProps) {
  const task = useQuery(queries.task(id))
  const explain = useQuery({ ...queries.explain(task.data?.alert ?? ''), enabled: task.data !== undefined })
  const [checked, setChecked] = useState<readonly number[]>([])
  if (task.isPending) return <Loading rows={5} height={56} />
  if (task.data === undefined)
    return <Failed what="This task could not be read" error={task.error!} onRetry={() => void task.refetch()} />
  return (
    <div className={classes.sticky}>
      <Head task={task.data} onClose={onClose} />
      {task.isRefetchError ? (
        <NotRenewed error={task.error} readAt={task.dataUpdatedAt} onRetry={() => void task.refetch()} />
      ) : null}
      <p className={classes.sentence}>{task.data.sentence}</p>
      <Acts task={task.data} checked={checked} onCompleted={onCompleted} />
      {explain.isError ? (
        <Failed
          what="What proves it could not be read"
          error={explain.error}
          still="The task itself can be claimed and completed."
          onRetry={() => void explain.refetch()}
        />
      ) : null}
      {explain.data === undefined ? (
        explain.isPending && <Loading rows={2} height={110} />
      ) : (
        <Evidence explain={explain.data} />
      )}
      <ToDo task={task.data} checked={checked} onCheck={setChecked} />
      {explain.data === undefined ? null : <Proof task={task.data} explain={explain.data} />}
    </div>
  )
}

/** As in worklist.module.css. */
const inPlaceOfList = '(max-width: 62em)'

function Head({ task, onClose }: { task: TaskBody; onClose: () => void }) {
  const mayRead = useMay('read', 'subject')
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    // In the list's place: who works by keyboard or screen reader goes along. Beside the list they stay on their row.
    if (matchMedia(inPlaceOfList).matches) heading.current?.focus()
  }, [])
  return (
    <>
      <Button className={classes.back!} variant="subtle" mih={44} onClick={onClose}>
        ← Back to the list
      </Button>
      <div className={classes.head}>
        <PriorityMark priority={task.priority} nature={task.nature} size={24} />
        <div>
          <Title order={2} ref={heading} tabIndex={-1}>
            {mayRead ? (
              <Link to="/subjects/$id" params={{ id: task.subject.id }} style={{ color: 'inherit' }}>
                {task.subject.name}
              </Link>
            ) : (
              task.subject.name
            )}
          </Title>
          <Text>{task.title}</Text>
          <Text c="dimmed">
            {priorityWords(task)} · {task.condition === 'active' ? 'condition still there' : 'in range again'} ·
            measured <Age at={task.value.measuredAt} />
          </Text>
        </div>
        <CloseButton aria-label="Close the explanation" size="lg" className={classes.close!} onClick={onClose} />
      </div>
    </>
  )
}

function Acts({
  task,
  checked,
  onCompleted,
}: { task: TaskBody; checked: readonly number[] } & Pick<PaneProps, 'onCompleted'>) {
  const me = useMe()
  const [completing, setCompleting] = useState(false)
  const claim = useClaim(task)
  const why = useWhyNot(task)
  const isMine = task.claimedBy?.id === me.id
  const mayClaim = why === null && task.status === 'open'
  useKeys({
    c: mayClaim ? () => claim.mutate() : undefined,
    d: why === null ? () => setCompleting(true) : undefined,
  })
  if (task.status === 'completed') return <Ending task={task} />
  return (
    <div className={classes.acts}>
      {isMine ? null : (
        <Button onClick={() => claim.mutate()} loading={claim.isPending} disabled={!mayClaim} mih={44}>
          Claim
        </Button>
      )}
      <Button
        variant={isMine ? 'filled' : 'default'}
        onClick={() => setCompleting(true)}
        disabled={why !== null}
        mih={44}
      >
        Complete
      </Button>
      <TimeLeft from={task.raisedAt} due={task.dueAt} />
      <Text c="dimmed" role="status">
        {claim.error?.message ??
          why ??
          (isMine ? 'You have it.' : `For ${task.owner.id === me.id ? 'you' : task.owner.name}.`)}
      </Text>
      <CompleteDialog
        task={task}
        checked={checked}
        opened={completing}
        onClose={() => setCompleting(false)}
        onCompleted={onCompleted}
      />
    </div>
  )
}

/** Why nothing can be done here now; null = it can. */
function useWhyNot(task: TaskBody): string | null {
  const me = useMe()
  const live = useLive()
  const mayAct = useMay('act', 'task')
  if (!mayAct) return 'Your role may look at tasks and not act on them.'
  if (task.claimedBy !== undefined && task.claimedBy.id !== me.id)
    return `${task.claimedBy.name} has this since ${momentText(task.claimedAt ?? task.raisedAt, serverNow())}.`
  if (live.is === 'disconnected') return 'Not connected: acting waits until the connection is back.'
  return null
}

function useClaim({ task: id, version }: TaskBody) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => call(endpoints.claim, { params: { id }, query: { version } }),
    onSuccess: (task) => client.setQueryData(queries.task(id).queryKey, task),
    onSettled: (_task, error) =>
      Promise.all([
        client.invalidateQueries({ queryKey: ['worklist'] }),
        // A colleague was faster, or something happened meanwhile: show what.
        error instanceof ApiError ? client.invalidateQueries({ queryKey: ['task', id] }) : undefined,
      ]),
  })
}

function Ending({ task }: { task: TaskBody }) {
  const label = task.dispositions.find(({ code }) => code === task.disposition)?.label ?? task.disposition
  return (
    <div className={classes.acts}>
      <div>
        <Text fw={600}>Completed: {label}</Text>
        <Text c="dimmed">
          {task.completedBy?.name}, {task.completedAt === undefined ? '' : momentText(task.completedAt, serverNow())}
        </Text>
        {task.note ? <Text mt={4}>{task.note}</Text> : null}
      </div>
    </div>
  )
}

interface ToDoProps {
  readonly task: TaskBody
  readonly checked: readonly number[]
  readonly onCheck: (checked: readonly number[]) => void
}

function ToDo({ task, checked, onCheck }: ToDoProps) {
  const isOver = task.status === 'completed'
  return (
    <section className={classes.section} aria-labelledby="to-do">
      <Title order={3} id="to-do">
        What to do
      </Title>
      <Text mb="xs">{task.rule.action}</Text>
      <Stack gap={8}>
        {task.checklist.map((step, index) => (
          <Checkbox
            key={step}
            label={step}
            disabled={isOver}
            checked={checked.includes(index)}
            onChange={() =>
              onCheck(checked.includes(index) ? checked.filter((each) => each !== index) : [...checked, index])
            }
          />
        ))}
      </Stack>
    </section>
  )
}

function Proof({ task, explain }: { task: TaskBody; explain: ExplainBody }) {
  return (
    <>
      <Story task={task} explain={explain} />
      <Rule explain={explain} />
      <Lineage explain={explain} />
    </>
  )
}
