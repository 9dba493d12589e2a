/** Edits one rule: limits, how long it must last, by when and by whom it is answered. A new version, with a reason. */
import type { ProgramRule, Role, RuleEdit } from '@careloop/contract'
import { Group, NativeSelect, Text, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { ApiError, call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { draftsOf, editsOf, type LimitDraft } from '../../parts/limit/limit-draft.ts'
import { areSound, LimitFields, limitPointers } from '../../parts/limit/limit-fields.tsx'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import { type RuleDialogProps, useRuleChange } from './rule-dialogs.tsx'
import { minutesText, msOf } from './words.ts'

/** Who may be made to answer: those who handle work. */
const roleChoices: Role[] = ['nurse', 'physician', 'facilities', 'pharmacist', 'biomed', 'administrator']

interface Draft {
  readonly limits: readonly LimitDraft[]
  readonly hold: string
  readonly limit: string
  readonly owner: Role
  readonly backup: Role
  readonly action: string
  readonly reason: string
}

const draftOf = (rule: ProgramRule): Draft => ({
  limits: draftsOf(rule.thresholds),
  hold: minutesText(rule.holdMs),
  limit: minutesText(rule.limitMs),
  owner: rule.ownerRole,
  backup: rule.backupRole,
  action: rule.action,
  reason: '',
})

export function EditDialog(props: RuleDialogProps) {
  return (
    <Dialog opened title={`Edit: ${props.rule.title}`} size="lg" onClose={props.onClose}>
      <Form {...props} />
    </Dialog>
  )
}

const fields = ['reason', 'holdMs', 'limitMs', 'ownerRole', 'backupRole', 'action'] as const

function Form({ program, rule, onClose }: RuleDialogProps) {
  const [draft, setDraft] = useState(() => draftOf(rule))
  const [isChecked, setChecked] = useState(false)
  // What was on the screen when the edit began: if somebody else changes the rule meanwhile, it is said before it is replaced.
  const [seen, setSeen] = useState(rule.version)
  const offline = useOffline()
  const params = { code: program, rule: rule.code }
  const save = useRuleChange(onClose, (body: RuleEdit) => call(endpoints.editRule, { params, body }))
  const wrong = problemsOf(draft, rule)
  const hasMoved = save.error instanceof ApiError && save.error.code === 'rule-moved'
  const change = (more: Partial<Draft>) => setDraft((before) => ({ ...before, ...more }))
  const submit = () => {
    setChecked(true)
    if (Object.keys(wrong).length > 0 || !areSound(draft.limits)) return
    const version = hasMoved ? rule.version : seen
    setSeen(version)
    save.mutate({ version, ...editOf(rebased(draft, rule), rule) })
  }
  const of = (field: (typeof fields)[number]) =>
    (isChecked ? wrong[field] : undefined) ?? refusalAt(save.error, `/body/${field}`)
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Text mb="sm">
        Stands now, version {rule.version}: {rule.condition}
      </Text>
      <LimitFields
        drafts={draft.limits}
        onChange={(limits) => change({ limits })}
        isChecked={isChecked}
        error={save.error}
      />
      <Timing draft={draft} rule={rule} change={change} of={of} />
      <People draft={draft} change={change} of={of} />
      <Textarea
        mt="sm"
        label="Action expected"
        required
        autosize
        maxLength={1000}
        value={draft.action}
        onChange={(event) => change({ action: event.currentTarget.value })}
        error={of('action')}
      />
      <Textarea
        mt="sm"
        label="Reason for the change"
        required
        autosize
        minRows={2}
        maxLength={1000}
        value={draft.reason}
        onChange={(event) => change({ reason: event.currentTarget.value })}
        error={of('reason')}
      />
      <Refusal error={save.error} shown={[...fields.map((each) => `/body/${each}`), ...limitPointers(draft.limits)]} />
      {hasMoved ? <Text mt={4}>What stands now is said above. Save again to put yours in its place.</Text> : null}
      <FormFoot label="Save as a new version" isPending={save.isPending} onCancel={onClose} why={offline} />
    </form>
  )
}

interface PartProps {
  readonly draft: Draft
  readonly change: (more: Partial<Draft>) => void
  readonly of: (field: (typeof fields)[number]) => string | undefined
}

function Timing({ draft, rule, change, of }: PartProps & { rule: ProgramRule }) {
  return (
    <Group grow align="flex-start">
      {rule.holdMs === undefined ? null : (
        <TextInput
          label={rule.kind === 'absence' ? 'Silent for, minutes' : 'Must last, minutes'}
          inputMode="decimal"
          value={draft.hold}
          onChange={(event) => change({ hold: event.currentTarget.value })}
          error={of('holdMs')}
        />
      )}
      <TextInput
        label="To be acted on within, minutes"
        inputMode="decimal"
        required
        value={draft.limit}
        onChange={(event) => change({ limit: event.currentTarget.value })}
        error={of('limitMs')}
      />
    </Group>
  )
}

function People({ draft, change, of }: PartProps) {
  return (
    <Group grow align="flex-start" mt="sm">
      <NativeSelect
        label="Owner role"
        data={roleChoices}
        value={draft.owner}
        onChange={(event) => change({ owner: event.currentTarget.value as Role })}
        error={of('ownerRole')}
      />
      <NativeSelect
        label="Backup role"
        data={roleChoices}
        value={draft.backup}
        onChange={(event) => change({ backup: event.currentTarget.value as Role })}
        error={of('backupRole')}
      />
    </Group>
  )
}

/** What is wrong, by field, before it is sent. */
function problemsOf(draft: Draft, rule: ProgramRule): Partial<Record<(typeof fields)[number], string>> {
  const { reason, holdMs, limitMs, ...others } = editOf(draft, rule)
  const isNothing = others.limits.length === 0 && Object.keys(others).length === 1
  const isSame = isNothing && holdMs === undefined && limitMs === undefined
  return {
    ...(reason.length < 3 ? { reason: 'Say why it is changed.' } : {}),
    ...(isSame && reason.length >= 3 ? { reason: 'Nothing was changed yet.' } : {}),
    ...(Number.isNaN(holdMs) ? { holdMs: 'Give minutes, for example 15.' } : {}),
    ...(Number.isNaN(limitMs) ? { limitMs: 'Give minutes, for example 30.' } : {}),
    ...(limitMs !== undefined && limitMs < 60_000 ? { limitMs: 'At least a minute.' } : {}),
    ...(draft.action.trim().length < 3 ? { action: 'Say what is to be done.' } : {}),
    ...(draft.owner === draft.backup ? { backupRole: 'Choose another role than the owner.' } : {}),
  }
}

/** Limits are compared with what stands now, also when that moved meanwhile. */
const rebased = (draft: Draft, rule: ProgramRule): Draft => ({
  ...draft,
  limits: draft.limits.map((each) => ({
    ...each,
    of: rule.thresholds.find(({ part, index }) => part === each.of.part && index === each.of.index) ?? each.of,
  })),
})

/** Only what differs from what stands. */
function editOf(draft: Draft, rule: ProgramRule): Omit<RuleEdit, 'version'> {
  const [holdMs, limitMs] = [msOf(draft.hold), msOf(draft.limit)]
  return {
    limits: editsOf(draft.limits),
    reason: draft.reason.trim(),
    ...(rule.holdMs === undefined || holdMs === rule.holdMs ? {} : { holdMs }),
    ...(limitMs === rule.limitMs ? {} : { limitMs }),
    ...(draft.owner === rule.ownerRole ? {} : { ownerRole: draft.owner }),
    ...(draft.backup === rule.backupRole ? {} : { backupRole: draft.backup }),
    ...(draft.action.trim() === rule.action ? {} : { action: draft.action.trim() }),
  }
}
