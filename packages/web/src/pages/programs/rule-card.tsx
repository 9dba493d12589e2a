/** One rule as people read it: what raises it, how soon somebody must act, who, why these limits, what was edited here. */
import type { ProgramRule } from '@careloop/contract'
import { Button, Text, Title } from '@mantine/core'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { PriorityMark, priorityWords } from '../../parts/priority-mark.tsx'
import { momentText, spanText } from '../../parts/words.ts'
import classes from './programs.module.css'
import { answerText, holdText, limitsText } from './words.ts'

interface RuleCardProps {
  readonly rule: ProgramRule
  readonly canEdit: boolean
  readonly onOpen: (what: 'edit' | 'off' | 'on' | 'file') => void
}

export function RuleCard({ rule, canEdit, onOpen }: RuleCardProps) {
  const limits = limitsText(rule)
  return (
    <li className={classes.card} data-state={rule.state}>
      <div className={classes.top}>
        <div className={classes.title}>
          <PriorityMark priority={rule.priority} nature={rule.nature} />
          <Title order={3}>{rule.title}</Title>
        </div>
        <span className={classes.state} data-state={rule.state}>
          {rule.state === 'active' ? 'Watching' : rule.switchedOff === undefined ? 'Not watching' : 'Switched off'}
        </span>
      </div>
      <Text>{rule.condition}</Text>
      <dl className={classes.facts}>
        {limits === '' ? null : (
          <>
            <dt>Limits</dt>
            <dd>
              {limits}
              {rule.kind === 'count' || rule.kind === 'rate' ? '' : `, ${holdText(rule)}`}
            </dd>
          </>
        )}
        {limits === '' && rule.holdMs !== undefined ? (
          <>
            <dt>Raised</dt>
            <dd>{holdText(rule)}</dd>
          </>
        ) : null}
        <dt>Priority</dt>
        <dd>{priorityWords(rule)}</dd>
        <dt>Answers</dt>
        <dd>
          {answerText(rule)}, within {spanText(rule.limitMs)}
        </dd>
        <dt>Action</dt>
        <dd>{rule.action}</dd>
        <dt>Version</dt>
        <dd>{rule.version === 0 ? 'none yet' : rule.version}</dd>
      </dl>
      {rule.problem === undefined ? null : <Text fw={600}>{rule.problem}</Text>}
      <Notes rule={rule} />
      {rule.why === undefined ? null : (
        <details>
          <summary>Why these limits</summary>
          <Text maw="48rem">{rule.why}</Text>
        </details>
      )}
      {canEdit ? <Buttons rule={rule} onOpen={onOpen} /> : null}
    </li>
  )
}

/** Who changed it here and why: its history in words, as far as it matters for what stands. */
function Notes({ rule }: { rule: ProgramRule }) {
  const now = useNow()
  const { edited, switchedOff } = rule
  return (
    <>
      {edited === undefined ? null : (
        <Text>
          Edited here by {edited.by.name}, {momentText(edited.at, now)}: {edited.reason}
          {edited.fileSays === undefined ? '' : ` The program's file says: ${edited.fileSays}`}
        </Text>
      )}
      {switchedOff === undefined ? null : (
        <Text>
          Switched off by {switchedOff.by.name}, {momentText(switchedOff.at, now)}: {switchedOff.reason}
        </Text>
      )}
    </>
  )
}

function Buttons({ rule, onOpen }: Pick<RuleCardProps, 'rule' | 'onOpen'>) {
  const maySwitch = useMay('act', 'rule')
  return (
    <div className={classes.acts}>
      <Button variant="default" mih={44} aria-label={`Edit: ${rule.title}`} onClick={() => onOpen('edit')}>
        Edit
      </Button>
      {rule.edited?.fileSays === undefined ? null : (
        <Button
          variant="default"
          mih={44}
          aria-label={`Back to the file: ${rule.title}`}
          onClick={() => onOpen('file')}
        >
          Back to the file
        </Button>
      )}
      {maySwitch ? (
        <Button
          variant="subtle"
          mih={44}
          aria-label={`${rule.state === 'active' ? 'Switch off' : 'Switch on'}: ${rule.title}`}
          onClick={() => onOpen(rule.state === 'active' ? 'off' : 'on')}
        >
          {rule.state === 'active' ? 'Switch off' : 'Switch on'}
        </Button>
      ) : null}
    </div>
  )
}
