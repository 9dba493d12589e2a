/** Ends a task: what was done as one of a few words, and a note where the words need a reason. */
import type { CompleteTask, DispositionCode, TaskBody } from '@careloop/contract'
import { Button, Group, Modal, Radio, Stack, Text, Textarea } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiError, call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { queries } from '../../api/queries.ts'

interface DialogProps {
  readonly task: TaskBody
  /** Positions in the checklist that were ticked. */
  readonly checked: readonly number[]
  readonly opened: boolean
  readonly onClose: () => void
  readonly onCompleted: (task: string, words: string) => void
}

export function CompleteDialog(props: DialogProps) {
  const isNarrow = useMediaQuery('(max-width: 40em)', false, { getInitialValueInEffect: false })
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={`Complete: ${props.task.subject.name}`}
      fullScreen={isNarrow}
      closeButtonProps={{ 'aria-label': 'Close without completing', size: 'lg' }}
    >
      <Form {...props} />
    </Modal>
  )
}

function Form({ task, checked, onClose, onCompleted }: DialogProps) {
  const [disposition, setDisposition] = useState<DispositionCode | ''>('')
  const [note, setNote] = useState('')
  const [missing, setMissing] = useState<{ disposition?: string; note?: string }>({})
  // What was seen when the dialog opened: if more happens meanwhile, the server refuses and the dialog shows it.
  const [seen, setSeen] = useState<number | undefined>(task.version)
  const complete = useComplete(task, onCompleted, onClose, () => setSeen(undefined))
  const isAlwaysWithNote = task.dispositions.every(({ needsNote }) => needsNote)
  const chosen = task.dispositions.find(({ code }) => code === disposition)
  const submit = () => {
    const left = {
      ...(disposition === '' ? { disposition: 'Choose what was done.' } : {}),
      ...(chosen?.needsNote && note.trim() === ''
        ? {
            note:
              isAlwaysWithNote && task.condition === 'active'
                ? 'Say what happens next: the condition is still there.'
                : 'Say why: this one needs a reason.',
          }
        : {}),
    }
    setMissing(left)
    if (disposition === '' || 'note' in left) return
    complete.mutate({ disposition, note: note.trim(), checked: [...checked], version: seen ?? task.version })
  }
  const refused = complete.error instanceof ApiError ? complete.error : null
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Text mb="sm">{task.sentence}</Text>
      <Radio.Group
        label="What was done"
        value={disposition}
        onChange={(value) => setDisposition(value as DispositionCode)}
        error={missing.disposition ?? (refused?.pointer === '/body/disposition' ? refused.message : undefined)}
      >
        <Stack gap={4} mt={6}>
          {task.dispositions.map(({ code, label, needsNote }, index) => (
            <Radio
              key={code}
              value={code}
              label={needsNote && !isAlwaysWithNote ? `${label} (say why)` : label}
              py={6}
              data-autofocus={index === 0 || undefined}
            />
          ))}
        </Stack>
      </Radio.Group>
      <Textarea
        mt="md"
        label={chosen?.needsNote ? 'Note' : 'Note, if something should be known'}
        description={
          isAlwaysWithNote && task.condition === 'active'
            ? 'The condition is still there: say what happens next.'
            : undefined
        }
        required={chosen?.needsNote ?? false}
        autosize
        minRows={3}
        maxLength={4000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        error={missing.note ?? (refused?.pointer === '/body/note' ? refused.message : undefined)}
      />
      {refused !== null && !refused.pointer.startsWith('/body/') ? (
        <Text role="alert" mt="sm" fw={600}>
          {refused.message}
        </Text>
      ) : null}
      <Group mt="lg" justify="flex-end">
        <Button variant="default" onClick={onClose} mih={44}>
          Cancel
        </Button>
        <Button type="submit" loading={complete.isPending} mih={44}>
          Complete
        </Button>
      </Group>
    </form>
  )
}

function useComplete(
  task: TaskBody,
  onCompleted: DialogProps['onCompleted'],
  onClose: () => void,
  onMoved: () => void,
) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: CompleteTask) => call(endpoints.complete, { params: { id: task.task }, body }),
    onSuccess(done, { disposition }) {
      client.setQueryData(queries.task(task.task).queryKey, done)
      const label = task.dispositions.find(({ code }) => code === disposition)!.label
      onClose()
      onCompleted(task.task, `Completed for ${task.subject.name}: ${label}.`)
    },
    async onError(error) {
      if (!(error instanceof ApiError) || error.status !== 409) return
      await client.invalidateQueries({ queryKey: ['task', task.task] })
      onMoved()
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['worklist'] }),
  })
}
