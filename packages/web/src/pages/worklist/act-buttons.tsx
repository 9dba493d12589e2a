/** The acts of a task: two at hand, the others in a menu, each by its key; what is not possible says why. */
import type { TaskBody } from '@careloop/contract'
import { Button, Kbd, Menu, Text } from '@mantine/core'
import { useState } from 'react'
import { useMe } from '../../app/session.tsx'
import { useKeys } from '../../app/use-keys.ts'
import { usePaletteActs } from '../../parts/palette/palette-acts.ts'
import { TimeLeft } from '../../parts/time-left.tsx'
import { tellDone } from '../../parts/undo/undo-store.ts'
import { CompleteDialog } from './complete-dialog.tsx'
import { HandOffDialog, SnoozeDialog } from './dialogs.tsx'
import { type Acted, type Going, type TaskActs, useTaskActs } from './use-acts.ts'
import classes from './worklist.module.css'

interface ActsProps {
  readonly task: Acted & Pick<TaskBody, 'owner'>
  /** Undefined until it is read: only completing needs more than the row. */
  readonly body: TaskBody | undefined
  readonly checked: readonly number[]
  readonly going: Going
}

type Dialog = 'complete' | 'snooze' | 'handOff' | null

export function Acts({ task, body, checked, going }: ActsProps) {
  const acts = useTaskActs(task, going)
  const [dialog, setDialog] = useState<Dialog>(null)
  const open = (which: Dialog) => {
    acts.forget()
    setDialog(which)
  }
  const close = () => setDialog(null)
  const choices = choicesOf(acts, open)
  useActKeys(choices)
  usePaletteActs(
    choices.map(({ id, label, key, why, run }) => ({ id, label: `${label}: ${task.subject.name}`, key, why, run })),
  )
  const me = useMe().id
  if (task.status === 'completed') return null
  const [claim, complete] = [choices[0]!, choices[1]!]
  const isMine = task.claimedBy?.id === me
  return (
    <div className={classes.acts}>
      {isMine ? null : <ActButton choice={claim} isActing={acts.isActing} />}
      <ActButton choice={complete} variant={isMine ? 'filled' : 'default'} isActing={false} />
      <More choices={choices.slice(2)} />
      <TimeLeft from={task.limitFrom ?? task.raisedAt} due={task.dueAt} />
      <Text c="dimmed" role="status" className={classes.standing!}>
        {standing(task, acts, me)}
      </Text>
      {dialog === 'complete' && body !== undefined ? (
        <CompleteDialog task={body} acts={acts} checked={checked} onClose={close} />
      ) : null}
      {dialog === 'snooze' ? <SnoozeDialog task={task} acts={acts} onClose={close} /> : null}
      {dialog === 'handOff' ? <HandOffDialog task={task} acts={acts} onClose={close} /> : null}
    </div>
  )
}

interface Choice {
  readonly id: string
  readonly label: string
  readonly key: string
  /** Why not; null = possible. */
  readonly why: string | null
  readonly run: () => void
}

function choicesOf({ why, act, mayTakeOver }: TaskActs, open: (dialog: Dialog) => void): Choice[] {
  return [
    {
      ...{ id: 'claim', label: mayTakeOver ? 'Take over' : 'Claim', key: 'c', why: why.claim },
      run: () => void act({ act: 'claim', takeOver: mayTakeOver }),
    },
    { id: 'complete', label: 'Complete', key: 'd', why: why.complete, run: () => open('complete') },
    {
      ...{ id: 'acknowledge', label: 'Acknowledge', key: 'a', why: why.acknowledge },
      run: () => void act({ act: 'acknowledge' }),
    },
    { id: 'snooze', label: 'Snooze', key: 's', why: why.snooze, run: () => open('snooze') },
    { id: 'hand-off', label: 'Hand off', key: 'h', why: why.handOff, run: () => open('handOff') },
    { id: 'release', label: 'Give back', key: 'r', why: why.release, run: () => void act({ act: 'release' }) },
  ]
}

/** A key whose act is not possible says why, rather than nothing. */
function useActKeys(choices: readonly Choice[]): void {
  useKeys(
    Object.fromEntries(choices.map(({ key, why, run }) => [key, why === null ? run : () => tellDone({ words: why })])),
  )
}

function standing(task: ActsProps['task'], { why, refused }: TaskActs, me: string): string {
  if (refused !== null && refused.pointer.startsWith('/body') === false) return refused.message
  if (why.complete !== null) return why.complete
  if (task.claimedBy?.id === me)
    return task.handling === 'new' ? 'You have it, and it came back: acknowledge that you saw it.' : 'You have it.'
  return `For ${task.owner.id === me ? 'you' : task.owner.name}.`
}

function ActButton({ choice, variant = 'filled', isActing }: { choice: Choice; variant?: string; isActing: boolean }) {
  return (
    <Button
      variant={variant}
      className={classes.act!}
      onClick={choice.run}
      loading={isActing}
      disabled={choice.why !== null}
      title={choice.why ?? undefined}
      rightSection={
        <Kbd size="xs" className={classes.kbd!} aria-hidden="true">
          {choice.key}
        </Kbd>
      }
    >
      {choice.label}
    </Button>
  )
}

function More({ choices }: { choices: readonly Choice[] }) {
  return (
    <Menu position="bottom-start" width={280} keepMounted={false}>
      <Menu.Target>
        <Button variant="default" className={classes.act!}>
          More
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {choices.map(({ id, label, key, why, run }) => (
          <Menu.Item
            key={id}
            disabled={why !== null}
            className={classes.off!}
            mih={44}
            onClick={run}
            rightSection={
              <Kbd size="xs" aria-hidden="true">
                {key}
              </Kbd>
            }
          >
            {label}
            {why === null ? null : <span className={classes.whyNot}>{why}</span>}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
