/** Ends a task: what was done as one of a few words, a note where the words need a reason, and what raises it again. */
import type { DispositionCode, Rearm, TaskBody } from '@careloop/contract'
import { Button, Group, NativeSelect, Radio, Stack, Text, Textarea } from '@mantine/core'
import { type KeyboardEvent, useState } from 'react'
import { serverNow } from '../../app/clock.ts'
import { momentText, spanText } from '../../parts/words.ts'
import { Ask } from './dialogs.tsx'
import { refusalWords, type TaskActs } from './use-acts.ts'
import classes from './worklist.module.css'

interface DialogProps {
  readonly task: TaskBody
  readonly acts: TaskActs
  /** Positions in the checklist that were ticked. */
  readonly checked: readonly number[]
  readonly onClose: () => void
}

export function CompleteDialog(props: DialogProps) {
  return (
    <Ask title={`Complete: ${props.task.subject.name}`} close="Close without completing" onClose={props.onClose}>
      <Form {...props} />
    </Ask>
  )
}

function Form({ task, acts, checked, onClose }: DialogProps) {
  const [disposition, setDisposition] = useState<DispositionCode | ''>('')
  const [note, setNote] = useState('')
  const [rearm, setRearm] = useState<RearmChoice>({ until: 'cleared', hours: 1 })
  const [missing, setMissing] = useState<{ disposition?: string; note?: string }>({})
  // What was seen when the dialog opened: if more happens meanwhile, the server refuses and the dialog shows it.
  const [seen, setSeen] = useState<number | undefined>(task.version)
  const isActive = task.condition === 'active'
  const chosen = task.dispositions.find(({ code }) => code === disposition)
  const submit = async () => {
    const left = missingOf(task, disposition, note)
    setMissing(left)
    if (disposition === '' || 'note' in left) return
    const body = {
      ...{ disposition, note: note.trim(), checked: [...checked], version: seen ?? task.version },
      ...(isActive ? { rearm: rearmOf(rearm) } : {}),
    }
    if (await acts.act({ act: 'complete', body, label: chosen!.label })) onClose()
    else setSeen(undefined)
  }
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
      onKeyDown={(event) => {
        const digit = digitOf(event)
        const option = digit === undefined ? undefined : task.dispositions[digit - 1]
        if (option !== undefined) setDisposition(option.code)
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void submit()
      }}
    >
      <Text mb="sm">{task.sentence}</Text>
      <Dispositions
        task={task}
        value={disposition}
        onChange={setDisposition}
        error={missing.disposition ?? refusedAt(acts, '/body/disposition')}
      />
      {isActive ? <RearmFields task={task} value={rearm} onChange={setRearm} /> : null}
      <Textarea
        mt="md"
        label={isActive || chosen?.needsNote ? 'Note' : 'Note, if something should be known'}
        description={isActive ? 'The condition is still there: say what happens next.' : undefined}
        required={isActive || (chosen?.needsNote ?? false)}
        autosize
        minRows={3}
        maxLength={4000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        error={missing.note ?? refusedAt(acts, '/body/note')}
      />
      <Refusal acts={acts} />
      <Group mt="lg" justify="flex-end" className={classes.dialogFoot!}>
        <Text c="dimmed" mr="auto" className={classes.keyHint!}>
          Ctrl Enter completes
        </Text>
        <Button variant="default" onClick={onClose} mih={44}>
          Cancel
        </Button>
        <Button type="submit" loading={acts.isActing} mih={44}>
          Complete
        </Button>
      </Group>
    </form>
  )
}

/** 1 to 9, while no text is typed. */
function digitOf({ key, target, ctrlKey, metaKey, altKey }: KeyboardEvent): number | undefined {
  if (ctrlKey || metaKey || altKey || !/^[1-9]$/.test(key)) return undefined
  return (target as HTMLElement).matches('textarea, select, input:not([type="radio"])') ? undefined : Number(key)
}

function missingOf(task: TaskBody, disposition: DispositionCode | '', note: string) {
  const chosen = task.dispositions.find(({ code }) => code === disposition)
  const isActive = task.condition === 'active'
  return {
    ...(disposition === '' ? { disposition: 'Choose what was done.' } : {}),
    ...(chosen?.needsNote && note.trim() === ''
      ? {
          note: isActive ? 'Say what happens next: the condition is still there.' : 'Say why: this one needs a reason.',
        }
      : {}),
  }
}

const refusedAt = ({ refused }: TaskActs, pointer: string) =>
  refused?.pointer === pointer ? refused.message : undefined

function Refusal({ acts }: { acts: TaskActs }) {
  if (acts.refused === null || ['/body/disposition', '/body/note'].includes(acts.refused.pointer)) return null
  return (
    <Text role="alert" mt="sm" fw={600}>
      {refusalWords(acts.refused)}
    </Text>
  )
}

interface DispositionsProps {
  readonly task: TaskBody
  readonly value: DispositionCode | ''
  readonly onChange: (code: DispositionCode) => void
  readonly error: string | undefined
}

function Dispositions({ task, value, onChange, error }: DispositionsProps) {
  const isAlwaysWithNote = task.dispositions.every(({ needsNote }) => needsNote)
  return (
    <Radio.Group
      label="What was done"
      value={value}
      onChange={(code) => onChange(code as DispositionCode)}
      error={error}
    >
      <Stack gap={4} mt={6}>
        {task.dispositions.map(({ code, label, needsNote }, index) => (
          <div key={code} className={classes.option}>
            <span className={classes.digit} aria-hidden="true">
              {index + 1}
            </span>
            <Radio
              value={code}
              label={needsNote && !isAlwaysWithNote ? `${label} (say why)` : label}
              py={6}
              data-autofocus={index === 0 || undefined}
            />
          </div>
        ))}
      </Stack>
    </Radio.Group>
  )
}

interface RearmChoice {
  readonly until: Rearm['until']
  readonly hours: number
}

const rearmOf = ({ until, hours }: RearmChoice): Rearm =>
  until === 'time' ? { until, at: Math.round(serverNow() + hours * hourMs) } : { until }

const hourMs = 3_600_000
const hourChoices = [0.5, 1, 2, 4, 8, 24, 72]

interface RearmProps {
  readonly task: TaskBody
  readonly value: RearmChoice
  readonly onChange: (choice: RearmChoice) => void
}

/** The condition stands: closing it must say when it counts again, or it would be silent for ever. */
function RearmFields({ task, value, onChange }: RearmProps) {
  return (
    <>
      <Radio.Group
        mt="md"
        label="The condition is still there. Raise it again"
        value={value.until}
        onChange={(until) => onChange({ ...value, until: until as Rearm['until'] })}
      >
        <Stack gap={4} mt={6}>
          <Radio value="cleared" label="when it has ended once and comes back" py={6} />
          {typeof task.worseMeans === 'string' ? (
            <Radio value="worse" label={`also before that if it gets worse: ${task.worseMeans}`} py={6} />
          ) : null}
          <Radio value="time" label="at a time, if it is still there then" py={6} />
        </Stack>
      </Radio.Group>
      {value.until === 'time' ? (
        <NativeSelect
          mt={4}
          label="In"
          value={String(value.hours)}
          onChange={(event) => onChange({ ...value, hours: Number(event.currentTarget.value) })}
          data={hourChoices.map((hours) => ({
            value: String(hours),
            label: `${spanText(hours * hourMs)}, at ${momentText(serverNow() + hours * hourMs, serverNow())}`,
          }))}
        />
      ) : null}
    </>
  )
}
