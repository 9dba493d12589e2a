/** What stands for this subject now: each rule with its limits, and where they are its own. */
import { type SubjectRules, signal } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useNow } from '../../app/clock.ts'
import { PriorityMark } from '../../parts/priority-mark.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { useWhyNot } from '../../parts/why-not.ts'
import { momentText, shortLabel } from '../../parts/words.ts'
import { isOverridden, limitText } from './limits.ts'
import { OverrideDialog } from './override-dialog.tsx'
import { usePanel } from './use-panel.ts'

type SubjectRule = SubjectRules['rules'][number]

export function RulesPanel({ subject, rules }: { subject: string; rules: readonly SubjectRule[] }) {
  const { panel, open, close } = usePanel()
  const why = useWhyNot('create', 'override')
  const edited = rules.find(({ rule }) => panel === `limit:${rule.id}`)
  return (
    <Section title="Limits that stand">
      {rules.length === 0 ? (
        <Text c="dimmed">No rule watches this subject. Rules come with a program: enrol it in one.</Text>
      ) : (
        <ul className={rows.rows}>
          {rules.map((each) => (
            <RuleRow key={each.rule.id} each={each} why={why} onEdit={() => open(`limit:${each.rule.id}`)} />
          ))}
        </ul>
      )}
      {why === null || rules.length === 0 ? null : (
        <Text c="dimmed" mt="xs">
          Limits can be read only. {why}
        </Text>
      )}
      {edited === undefined || why !== null ? null : (
        <OverrideDialog key={edited.rule.id} subject={subject} of={edited} onClose={close} />
      )}
    </Section>
  )
}

function RuleRow({ each, why, onEdit }: { each: SubjectRule; why: string | null; onEdit: () => void }) {
  const now = useNow()
  const { rule, thresholds, override, priority, nature } = each
  const own = override !== undefined && override.endedAt === undefined ? override : undefined
  const raising = thresholds.filter(({ role }) => role === 'raise')
  // Of a door or a battery that is low, `≥ 1` says nothing: the condition in words does.
  const isSaidByLimits = raising.length > 0 && raising.every((limit) => signal(limit.signal)?.meanings === undefined)
  const canChange = thresholds.some(({ part }) => part !== undefined)
  return (
    <li className={rows.row}>
      <PriorityMark priority={priority} nature={nature} />
      <div className={rows.what}>
        <strong>{rule.title}</strong>{' '}
        {isSaidByLimits
          ? raising
              .map((limit) => {
                const name = raising.length > 1 ? `${shortLabel(limit)} ` : ''
                return `${name}${limitText(limit)}${isOverridden(limit, own) ? ' (own)' : ''}`
              })
              .join(', ')
          : rule.condition}
        {own === undefined ? null : (
          <div>
            <span className={rows.tag}>Own limit</span> until {momentText(own.expiresAt, now)}, {own.author.name}:{' '}
            {own.reason}
          </div>
        )}
      </div>
      {canChange && why === null ? (
        <Button variant="default" size="sm" mih={44} onClick={onEdit} aria-label={`Own limits: ${rule.title}`}>
          Own limits
        </Button>
      ) : null}
    </li>
  )
}
