/** The pane that explains a task: why, what proves it, what to do, what was done; and the acts. */
import type { ExplainBody, TaskBody, WorklistRow } from '@careloop/contract'
import { Button, Checkbox, CloseButton, Stack, Text, Title } from '@mantine/core'
import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { queries } from '../../api/queries.ts'
import { serverNow } from '../../app/clock.ts'
import { useMay, useMe } from '../../app/session.tsx'
import { ActivityTimer } from '../../parts/activity/activity-timer.tsx'
import { Age } from '../../parts/age.tsx'
import { Failed, Loading, NotRenewed } from '../../parts/page-state.tsx'
import { PriorityMark, priorityWords } from '../../parts/priority-mark.tsx'
import { momentText, overWords } from '../../parts/words.ts'
import { Acts } from './act-buttons.tsx'
import { Evidence } from './evidence.tsx'
import { OwnLimit, useStanding } from './own-limit.tsx'
import { Lineage, Rule, Story } from './proof.tsx'
import { Told } from './told.tsx'
import type { Acted, Going } from './use-acts.ts'
import classes from './worklist.module.css'

export interface PaneProps {
  readonly task: string
  /** As the list has it: it is there before the task is read. */
  readonly row: WorklistRow | undefined
  readonly onClose: () => void
  readonly going: Going
}

export function Pane({ task: id, row, onClose, going }: PaneProps) {
  const task = useQuery(queries.task(id))
  const alert = task.data?.alert ?? row?.alert
  const explain = useQuery({ ...queries.explain(alert ?? ''), enabled: alert !== undefined })
  const [checked, setChecked] = useState<readonly number[]>([])
  const me = useMe().id
  const shown = newer(task.data, row)
  if (shown === undefined && task.isPending) return <Loading rows={5} height={56} />
  if (shown === undefined)
    return <Failed what="This task could not be read" error={task.error!} onRetry={() => void task.refetch()} />
  const isMine = shown.claimedBy?.id === me && shown.status === 'claimed'
  return (
    <>
      <Head task={shown} isSilence={explain.data?.kind === 'absence'} onClose={onClose} />
      {isMine ? <ActivityTimer subject={shown.subject} task={id} source="worklist" /> : null}
      {task.isRefetchError ? (
        <NotRenewed error={task.error} readAt={task.dataUpdatedAt} onRetry={() => void task.refetch()} />
      ) : null}
      <p className={classes.sentence}>{shown.sentence}</p>
      {task.data?.status === 'completed' ? <Ending task={task.data} /> : null}
      <Acts task={shown} body={task.data} checked={checked} going={going} />
      {task.isError && task.data === undefined ? (
        <Failed what="More of this task could not be read" error={task.error} onRetry={() => void task.refetch()} />
      ) : null}
      <Why explain={explain} />
      {task.data === undefined ? null : <ToDo task={task.data} checked={checked} onCheck={setChecked} />}
      {task.data === undefined || explain.data === undefined ? null : <Proof task={task.data} explain={explain.data} />}
    </>
  )
}

/** The list is read again more often than a task: whichever saw more counts. */
function newer(task: TaskBody | undefined, row: WorklistRow | undefined): (WorklistRow & Acted) | undefined {
  if (task === undefined || row === undefined) return task ?? row
  return row.version > task.version ? row : task
}

/** As in worklist.module.css. */
const inPlaceOfList = '(max-width: 62em)'

function Head({ task, isSilence, onClose }: { task: WorklistRow; isSilence: boolean; onClose: () => void }) {
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
            {priorityWords(task)} · {task.condition === 'active' ? 'condition still there' : overWords(task)} ·{' '}
            {isSilence ? 'last heard' : 'measured'} <Age at={task.value.measuredAt} />
          </Text>
        </div>
        <CloseButton aria-label="Close the explanation" size="lg" className={classes.close!} onClick={onClose} />
      </div>
    </>
  )
}

function Why({ explain }: { explain: UseQueryResult<ExplainBody> }) {
  if (explain.data !== undefined) return <Reasons explain={explain.data} />
  if (!explain.isError) return <Loading rows={2} height={110} />
  return (
    <Failed
      what="What proves it could not be read"
      error={explain.error!}
      still="The task itself can be claimed and completed."
      onRetry={() => void explain.refetch()}
    />
  )
}

function Reasons({ explain }: { explain: ExplainBody }) {
  const standing = useStanding(explain)
  // The limit that raised it; one that was set since explains what happens next.
  const own = explain.override ?? standing?.override
  return (
    <>
      {own === undefined ? null : (
        <OwnLimit
          override={own}
          of={explain.override === undefined && standing !== undefined ? standing : explain}
          isStanding={standing?.override?.id === own.id}
        />
      )}
      <Evidence explain={explain} isSilence={explain.kind === 'absence'} />
    </>
  )
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
      <Stack gap={0}>
        {task.checklist.map((step, index) => (
          <Checkbox
            key={step}
            label={step}
            className={classes.step!}
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
      <Told task={task.task} />
      <Rule explain={explain} />
      <Lineage explain={explain} />
    </>
  )
}
