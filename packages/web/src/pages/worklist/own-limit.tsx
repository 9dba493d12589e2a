/** The limit that was set for this subject alone, with who, why and until when: who acts must know that it is not the program's. */
import type { ExplainBody, OverrideBody, SubjectRules } from '@careloop/contract'
import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { queries } from '../../api/queries.ts'
import { serverNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { momentText, shortLabel } from '../../parts/words.ts'
import classes from './worklist.module.css'

export type Standing = SubjectRules['rules'][number]

/** What the rule is for this subject now; undefined = not known (yet), or no right to know. */
export function useStanding({ alert, rule }: ExplainBody): Standing | undefined {
  const mayRead = useMay('read', 'override')
  const rules = useQuery({ ...queries.subjectRules(alert.subject.id), enabled: mayRead })
  return rules.data?.rules.find((each) => each.rule.id === rule.id)
}

const words = { '>': 'above', '>=': 'at or above', '<': 'below', '<=': 'at or below' } as const

interface OwnLimitProps {
  readonly override: OverrideBody
  /** The rule with this limit in it. */
  readonly of: Pick<Standing, 'thresholds' | 'rule'>
  /** false: it raised this, and ended or was replaced since. */
  readonly isStanding: boolean
}

export function OwnLimit({ override, of, isStanding }: OwnLimitProps) {
  const limits = of.thresholds
    .filter(({ role }) => role === 'raise')
    .map(({ label, comparator, limit, unit }) => `${shortLabel({ label })} ${words[comparator]} ${limit} ${unit}`)
  const who = of.rule.ownerRole === 'nurse' || of.rule.ownerRole === 'physician' ? 'patient' : 'unit'
  return (
    <div className={classes.own}>
      <Text fw={600}>
        Limit set for this {who} by {override.author.name} until {momentText(override.expiresAt, serverNow())}
        {isStanding || override.endedAt === undefined ? '' : `, ended ${momentText(override.endedAt, serverNow())}`}
      </Text>
      {limits.length === 0 ? null : <Text>{limits.join(', ')}</Text>}
      <Text c="dimmed">Because: {override.reason}</Text>
    </div>
  )
}
