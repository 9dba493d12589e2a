/** What oneself was told: how many are unseen, the list, and a sound for who wants one. */
import type { NotificationBody } from '@careloop/contract'
import { Button, Popover, Switch, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { queries } from '../../api/queries.ts'
import { useMay } from '../../app/session.tsx'
import { Age } from '../age.tsx'
import { Failed, Loading } from '../page-state.tsx'
import { PriorityMark } from '../priority-mark.tsx'
import { countText } from '../words.ts'
import classes from './bell.module.css'
import { chime, setSoundOn, useSoundOn } from './sound.ts'

export function Bell() {
  const mayRead = useMay('read', 'notification')
  return mayRead ? <BellOfMine /> : null
}

function BellOfMine() {
  const [opened, setOpened] = useState(false)
  const told = useQuery(queries.notifications)
  const unseen = told.data?.unseen ?? 0
  useChime(told.data?.unseen)
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-end"
      width={360}
      trapFocus
      returnFocus
      keepMounted={false}
    >
      <Popover.Target>
        <Button
          variant="subtle"
          color="gray"
          c="var(--mantine-color-text)"
          px="xs"
          mih={44}
          miw={44}
          aria-label={unseen === 0 ? 'Notifications' : `Notifications, ${unseen} unseen`}
          onClick={() => setOpened(!opened)}
        >
          <BellMark />
          {unseen === 0 ? null : <span className={classes.count}>{unseen > 99 ? '99+' : unseen}</span>}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={0} aria-label="Notifications">
        <Told onDone={() => setOpened(false)} />
      </Popover.Dropdown>
    </Popover>
  )
}

function BellMark() {
  return (
    <svg
      width="20"
      height="20"
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      aria-hidden="true"
    >
      <path d="M10 2.5a5 5 0 0 1 5 5v3.2l1.5 2.8h-13L5 10.7V7.5a5 5 0 0 1 5-5Z" strokeLinejoin="round" />
      <path d="M8 16a2 2 0 0 0 4 0" strokeLinecap="round" />
    </svg>
  )
}

const why: Readonly<Record<NotificationBody['why'], string>> = {
  raised: 'New',
  recurred: 'It came back',
  reminder: 'Reminder: nobody has acknowledged it',
  overdue: 'Its time limit passed',
  'handed-off': 'A colleague handed it to you',
  'evidence-changed': 'Its readings changed: look again',
  undelivered: 'A message about it could not be delivered',
  'review-opened': 'To review',
  'review-overdue': 'Not reviewed in time',
  'access-taken': 'Somebody outside the care team sees this record for some hours; compliance was told',
}

function Told({ onDone }: { onDone: () => void }) {
  const told = useQuery(queries.notifications)
  const navigate = useNavigate()
  const seen = useSeen()
  const on = useSoundOn()
  const nameOf = useNames()
  if (told.isPending) return <Loading rows={3} />
  if (told.data === undefined)
    return (
      <Failed what="Your notifications could not be read" error={told.error!} onRetry={() => void told.refetch()} />
    )
  const unseen = told.data.items.filter(({ seenAt }) => seenAt === undefined).map(({ id }) => id)
  const open = ({ id, task, review, subject, seenAt }: NotificationBody) => {
    if (seenAt === undefined) seen.mutate([id])
    onDone()
    if (task !== undefined) void navigate({ to: '/worklist', search: { task } })
    else if (review !== undefined) void navigate({ to: '/reviews', search: { review } })
    else if (subject !== undefined) void navigate({ to: '/subjects/$id', params: { id: subject } })
  }
  return (
    <>
      <div className={classes.top}>
        <Text fw={600} role="status">
          {told.data.unseen === 0 ? 'Nothing unseen' : countText(told.data.unseen, 'unseen', 'unseen')}
        </Text>
        <Button
          variant="subtle"
          size="compact-sm"
          disabled={unseen.length === 0}
          loading={seen.isPending}
          onClick={() => seen.mutate(unseen.slice(0, 200))}
        >
          Mark all seen
        </Button>
      </div>
      {told.data.items.length === 0 ? (
        <Text c="dimmed" p="md">
          Here stands what you were told: when an alert of yours is raised, comes back or is overdue, and what waits for
          your review.
        </Text>
      ) : (
        <ul className={classes.list}>
          {told.data.items.map((item) => (
            <li key={item.id}>
              <button
                type="button"
                className={classes.item}
                data-unseen={item.seenAt === undefined || undefined}
                onClick={() => open(item)}
              >
                <PriorityMark priority={item.priority} nature={item.nature} size={16} />
                <span className={classes.words}>
                  <span>
                    {item.task === undefined ? '' : nameOf(item.task)}
                    {item.title}
                  </span>
                  <span className={classes.why}>
                    {why[item.why]} · <Age at={item.at} />
                    {item.seenAt === undefined ? ' · unseen' : ''}
                  </span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <div className={classes.foot}>
        <Switch
          label="Sound for a new one"
          checked={on}
          onChange={(event) => setSoundOn(event.currentTarget.checked)}
        />
      </div>
    </>
  )
}

/** A notification carries no name; whom it is about is known of the tasks that are listed. */
function useNames(): (task: string) => string {
  const mayRead = useMay('read', 'task')
  const rows = useQuery({ ...queries.worklist, enabled: mayRead }).data?.rows
  return (task) => {
    const name = rows?.find((row) => row.task === task)?.subject.name
    return name === undefined ? '' : `${name}: `
  }
}

function useSeen() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (ids: string[]) => call(endpoints.notificationsSeen, { body: { ids } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['notifications'] }),
  })
}

/** Once for however many came together; never for what was there when the page was opened. */
function useChime(unseen: number | undefined) {
  const before = useRef(unseen)
  const on = useSoundOn()
  useEffect(() => {
    if (on && before.current !== undefined && unseen !== undefined && unseen > before.current) chime()
    before.current = unseen
  }, [unseen, on])
}
