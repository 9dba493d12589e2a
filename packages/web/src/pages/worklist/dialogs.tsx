/** Putting off and handing off: two small questions before an act. */
import { Button, Group, Modal, Select, Stack, Text, Textarea } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { queries } from '../../api/queries.ts'
import { serverNow } from '../../app/clock.ts'
import { useMay, useMe } from '../../app/session.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { momentText, spanText } from '../../parts/words.ts'
import { snoozeChoices } from './acts.ts'
import { colleaguesFor } from './colleagues.ts'
import type { Acted, TaskActs } from './use-acts.ts'
import { refusalWords } from './use-acts.ts'

export interface AskProps {
  readonly task: Acted
  readonly acts: TaskActs
  readonly onClose: () => void
}

/** @param close what the cross says */
export function Ask({
  title,
  close,
  onClose,
  children,
}: {
  title: string
  close: string
  onClose: () => void
  children: ReactNode
}) {
  const isNarrow = useMediaQuery('(max-width: 40em)', false, { getInitialValueInEffect: false })
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      fullScreen={isNarrow}
      closeButtonProps={{ 'aria-label': close, size: 'lg' }}
    >
      {children}
    </Modal>
  )
}

/** A digit chooses, as in the completing dialog. */
export function SnoozeDialog({ task, acts, onClose }: AskProps) {
  const choices = snoozeChoices(task.dueAt, serverNow())
  const put = (minutes: number | undefined) => {
    if (minutes === undefined) return
    onClose()
    void acts.act({ act: 'snooze', minutes })
  }
  return (
    <Ask title={`Snooze: ${task.subject.name}`} close="Close without snoozing" onClose={onClose}>
      <form onKeyDown={(event) => put(choices[Number(event.key) - 1])} onSubmit={(event) => event.preventDefault()}>
        <Text mb="sm">
          It stays in the list, greyed, and comes back by itself. It is due at {momentText(task.dueAt, serverNow())}:
          escalation goes on.
        </Text>
        <Stack gap={8}>
          {choices.map((minutes, index) => (
            <Button
              key={minutes}
              variant="default"
              mih={44}
              justify="space-between"
              data-autofocus={index === 0 || undefined}
              leftSection={spanText(minutes * 60_000)}
              rightSection={<Text c="dimmed">{index + 1}</Text>}
              onClick={() => put(minutes)}
            >
              until {momentText(serverNow() + minutes * 60_000, serverNow())}
            </Button>
          ))}
        </Stack>
      </form>
    </Ask>
  )
}

export function HandOffDialog({ task, acts, onClose }: AskProps) {
  return (
    <Ask title={`Hand off: ${task.subject.name}`} close="Close without handing off" onClose={onClose}>
      <HandOffForm task={task} acts={acts} onClose={onClose} />
    </Ask>
  )
}

function HandOffForm({ task, acts, onClose }: AskProps) {
  const me = useMe().id
  const maySeeTeams = useMay('read', 'care-team')
  const colleagues = useQuery(queries.colleagues)
  const teams = useQuery({ ...queries.careTeams, enabled: maySeeTeams }).data?.items ?? []
  const [to, setTo] = useState<string | null>(null)
  const [note, setNote] = useState('')
  const [missing, setMissing] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const isThere = colleagues.data !== undefined
  useEffect(() => {
    // The dialog took the focus when there was no field yet.
    if (isThere) field.current?.focus()
  }, [isThere])
  if (colleagues.isPending) return <Loading rows={2} />
  if (colleagues.data === undefined)
    return (
      <Failed
        what="Your colleagues could not be read"
        error={colleagues.error!}
        onRetry={() => void colleagues.refetch()}
      />
    )
  const choices = colleaguesFor(colleagues.data.items, teams, me, task.subject.kind)
  const chosen = choices.find(({ id }) => id === to)
  const submit = async () => {
    setMissing(chosen === undefined)
    if (chosen === undefined) return
    const body = { to: chosen.id, note: note.trim() }
    if (await acts.act({ act: 'handOff', body, to: { id: chosen.id, name: chosen.name } })) onClose()
  }
  if (choices.length === 0)
    return <Text>Nobody else here may take this kind of task. An administrator can add them.</Text>
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      <Select
        ref={field}
        label="To"
        data-autofocus
        searchable
        placeholder="Type a name"
        nothingFoundMessage="Nobody of that name"
        value={to}
        onChange={setTo}
        error={missing && to === null ? 'Choose a colleague.' : undefined}
        data={[
          { group: 'My team', items: optionsOf(choices, true) },
          { group: 'Others', items: optionsOf(choices, false) },
        ].filter(({ items }) => items.length > 0)}
      />
      <Textarea
        mt="md"
        label="What they should know, if anything"
        autosize
        minRows={2}
        maxLength={1000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <Text mt="sm" c="dimmed">
        They are told at once. It stays due at {momentText(task.dueAt, serverNow())}, and waits for them to claim it.
      </Text>
      {acts.refused === null ? null : (
        <Text role="alert" mt="sm" fw={600}>
          {refusalWords(acts.refused)}
        </Text>
      )}
      <Group mt="lg" justify="flex-end">
        <Button variant="default" onClick={onClose} mih={44}>
          Cancel
        </Button>
        <Button type="submit" loading={acts.isActing} mih={44}>
          Hand off
        </Button>
      </Group>
    </form>
  )
}

const optionsOf = (choices: ReturnType<typeof colleaguesFor>, isMate: boolean) =>
  choices
    .filter((each) => each.isMate === isMate)
    .map(({ id, name, roles }) => ({ value: id, label: `${name} (${roles.join(', ')})` }))
