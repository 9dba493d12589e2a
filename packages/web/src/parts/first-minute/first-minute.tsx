/** The demo's first minute, above the page: what to do next, ticking by itself as it is done. */
import { Button, CloseButton } from '@mantine/core'
import { useEffect } from 'react'
import { useMe } from '../../app/session.tsx'
import { useIsDemo } from './demo-mark.tsx'
import classes from './first-minute.module.css'
import { beginAgain, hide, tick, useProgress } from './progress.ts'
import { type Step, stepsFor } from './steps.ts'
import { useSeenSteps } from './use-seen.ts'

/** Of the demo only. */
export const DemoGuide = () => (useIsDemo() ? <FirstMinute /> : null)

function FirstMinute() {
  const steps = stepsFor(useMe())
  const seen = useSeenSteps(steps)
  const { done, isHidden } = useProgress()
  useEffect(() => {
    if (seen !== '') tick(seen.split(' '))
  }, [seen])
  if (isHidden) return null
  const next = steps.find(({ id }) => !done.includes(id))
  return (
    <section className={classes.panel} aria-label="First minute">
      <div className={classes.head}>
        <strong>First minute</strong>
        <ol className={classes.steps}>
          {steps.map((step, index) => (
            <Mark key={step.id} step={step} number={index + 1} isDone={done.includes(step.id)} isNext={step === next} />
          ))}
        </ol>
        {next === undefined ? (
          <Button size="compact-sm" variant="default" onClick={beginAgain}>
            Begin again
          </Button>
        ) : null}
        <CloseButton aria-label="Hide the first minute" onClick={() => hide(true)} />
      </div>
      <p className={classes.hint} role="status">
        {next === undefined ? (
          'That was the first minute. The people, their passwords and what else happens are on the terminal.'
        ) : (
          <>
            <b>{next.title}.</b> {next.hint}
          </>
        )}
      </p>
    </section>
  )
}

interface MarkProps {
  readonly step: Step
  readonly number: number
  readonly isDone: boolean
  readonly isNext: boolean
}

function Mark({ step, number, isDone, isNext }: MarkProps) {
  return (
    <li className={classes.step} data-done={isDone || undefined} aria-current={isNext ? 'step' : undefined}>
      <span className={classes.mark} aria-hidden="true">
        {isDone ? '✓' : number}
      </span>
      <span className={classes.title}>{step.title}</span>
      {isDone ? <span className={classes.unseen}> (done)</span> : null}
    </li>
  )
}
