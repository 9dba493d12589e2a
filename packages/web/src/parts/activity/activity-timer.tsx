/** The time that goes to a patient, in view of whoever spends it: it can be paused, renamed and thrown away. */
import type { ActivityKind, ContactMode, PutActivity, SubjectKind } from '@careloop/contract'
import { Button, Menu } from '@mantine/core'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { serverNow, useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import classes from './activity.module.css'
import { CallDialog } from './call-dialog.tsx'
import { clockText, type Pause, shownMs } from './meter.ts'
import { type About, type RunningMeter, runMeter } from './run-meter.ts'
import { contactWords, isContact, kindWords, usualContact } from './words.ts'

export interface ActivityTimerProps {
  readonly subject: { readonly id: string; readonly kind: SubjectKind }
  readonly task?: string
  readonly source: Exclude<PutActivity['source'], 'entered'>
}

/** Shows nothing for things, nor to who may not record time. */
export function ActivityTimer({ subject, task, source }: ActivityTimerProps) {
  const mayRecord = useMay('create', 'activity')
  if (!mayRecord || subject.kind !== 'patient') return null
  return <Timer key={`${subject.id}/${task}`} subject={subject.id} task={task} source={source} />
}

function Timer(about: About) {
  const { subject, task, source } = about
  const [running, setRunning] = useState<RunningMeter | null>(null)
  const [isCalling, setCalling] = useState(false)
  useEffect(() => {
    const meter = runMeter({ subject, task, source }, { kind: 'data-review', contact: 'none' })
    setRunning(meter)
    return () => meter.end()
  }, [subject, task, source])
  if (running === null) return null
  return (
    <section className={classes.timer} aria-label="Your time for this patient">
      <Shown running={running} />
      <Kind running={running} />
      <Contact running={running} />
      <Controls running={running} onLogCall={() => setCalling(true)} />
      <Trouble running={running} />
      {isCalling ? <CallDialog about={about} onClose={() => setCalling(false)} /> : null}
    </section>
  )
}

const useMeter = (running: RunningMeter) => useSyncExternalStore(running.listen, running.now)

const pauseWords: Readonly<Record<Pause, string>> = {
  idle: 'Paused: no sign of you for 2 min',
  hidden: 'Paused: the page was hidden',
  'by-hand': 'Paused',
  discarded: 'Discarded, not counting',
}

function Shown({ running }: { running: RunningMeter }) {
  useNow()
  const meter = useMeter(running)
  return (
    <span className={classes.shown} data-paused={meter.is === 'paused' || undefined}>
      <i className={classes.dot} aria-hidden="true" />
      Time for this patient{' '}
      <strong role="timer" aria-label="Time for this patient">
        {clockText(shownMs(meter, serverNow()))}
      </strong>
      {meter.is === 'paused' ? <span className={classes.why}>{pauseWords[meter.why]}</span> : null}
    </span>
  )
}

function Kind({ running }: { running: RunningMeter }) {
  const { what } = useMeter(running)
  return (
    <Menu position="bottom-start" keepMounted={false}>
      <Menu.Target>
        <Button variant="subtle" size="compact-sm" className={classes.small!} rightSection="▾">
          {kindWords[what.kind]}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>What you do from now on</Menu.Label>
        {(Object.keys(kindWords) as ActivityKind[]).map((kind) => (
          <Menu.Item
            key={kind}
            aria-current={kind === what.kind}
            onClick={() => running.tell({ kind, contact: usualContact(kind) })}
          >
            {kindWords[kind]}
            {kind === what.kind ? ' ✓' : ''}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function Contact({ running }: { running: RunningMeter }) {
  const { what } = useMeter(running)
  if (!isContact(what.kind)) return null
  return (
    <Menu position="bottom-start" keepMounted={false}>
      <Menu.Target>
        <Button variant="subtle" size="compact-sm" className={classes.small!} rightSection="▾">
          {contactWords[what.contact]}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {(Object.keys(contactWords) as ContactMode[])
          .filter((contact) => contact !== 'none')
          .map((contact) => (
            <Menu.Item key={contact} onClick={() => running.tell({ kind: what.kind, contact })}>
              {contactWords[contact]}
              {contact === what.contact ? ' ✓' : ''}
            </Menu.Item>
          ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function Controls({ running, onLogCall }: { running: RunningMeter; onLogCall: () => void }) {
  const meter = useMeter(running)
  const isRunning = meter.is === 'running'
  return (
    <span className={classes.controls}>
      <Button
        variant="subtle"
        size="compact-sm"
        className={classes.small!}
        onClick={isRunning ? running.pause : running.resume}
      >
        {isRunning ? 'Pause' : 'Go on'}
      </Button>
      {isRunning ? (
        <Button
          variant="subtle"
          size="compact-sm"
          className={classes.small!}
          title="What runs now is not counted"
          onClick={running.discard}
        >
          Discard
        </Button>
      ) : null}
      <Button variant="subtle" size="compact-sm" className={classes.small!} onClick={onLogCall}>
        Log a call
      </Button>
    </span>
  )
}

function Trouble({ running }: { running: RunningMeter }) {
  const trouble = useSyncExternalStore(running.listen, running.trouble)
  if (trouble === null) return null
  return (
    <span role="alert" className={classes.trouble}>
      Your time could not be recorded. {trouble}
    </span>
  )
}
