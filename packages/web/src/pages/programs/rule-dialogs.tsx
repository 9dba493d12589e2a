/** The dialogs of a rule: edit, switch off with a reason, switch on, back to what the program's file says. */
import type { ProgramBody, ProgramRule } from '@careloop/contract'
import { Text, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import { EditDialog } from './edit-dialog.tsx'

interface RuleDialogsProps {
  readonly program: ProgramBody
  readonly panel: string
  readonly onClose: () => void
}

export function RuleDialogs({ program, panel, onClose }: RuleDialogsProps) {
  const [what, code] = panel.split(':')
  const rule = program.rules.find((each) => each.code === code)
  if (rule === undefined) return null
  const props = { program: program.code, rule, onClose }
  if (what === 'edit') return <EditDialog {...props} />
  if (what === 'off') return <OffDialog {...props} />
  if (what === 'on') return <OnDialog {...props} />
  return what === 'file' ? <FileDialog {...props} /> : null
}

export interface RuleDialogProps {
  readonly program: string
  readonly rule: ProgramRule
  readonly onClose: () => void
}

/** Asks, shows the programs anew whatever came of it, and closes when it was done. */
export function useRuleChange<Body>(onClose: () => void, ask: (body: Body) => Promise<unknown>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ask,
    onSuccess: onClose,
    onSettled: () => client.invalidateQueries({ queryKey: ['programs'] }),
  })
}

function OffDialog({ program, rule, onClose }: RuleDialogProps) {
  const params = { code: program, rule: rule.code }
  const off = useRuleChange(onClose, (reason: string) => call(endpoints.deactivateRule, { params, body: { reason } }))
  return (
    <WithReason
      title={`Switch off: ${rule.title}`}
      label="Switch off"
      change={off}
      onClose={onClose}
      words="It watches nobody from now on. Open alerts of it stay until somebody completes them; activating the program again leaves it off."
    />
  )
}

function FileDialog({ program, rule, onClose }: RuleDialogProps) {
  const params = { code: program, rule: rule.code }
  const take = useRuleChange(onClose, (reason: string) =>
    call(endpoints.takeFile, { params, body: { version: rule.version, reason } }),
  )
  return (
    <WithReason
      title={`Back to the file: ${rule.title}`}
      label="Take what the file says"
      change={take}
      onClose={onClose}
      words={`Now: ${rule.condition} Then: ${rule.edited?.fileSays ?? 'as the file says.'}`}
    />
  )
}

interface WithReasonProps {
  readonly title: string
  readonly words: string
  readonly label: string
  readonly change: ReturnType<typeof useRuleChange<string>>
  readonly onClose: () => void
}

function WithReason({ title, words, label, change, onClose }: WithReasonProps) {
  const [reason, setReason] = useState('')
  const [isChecked, setChecked] = useState(false)
  const offline = useOffline()
  const isMissing = reason.trim().length < 3
  return (
    <Dialog opened title={title} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          setChecked(true)
          if (!isMissing) change.mutate(reason.trim())
        }}
      >
        <Text mb="sm">{words}</Text>
        <Textarea
          label="Reason"
          required
          autosize
          minRows={2}
          maxLength={1000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          error={(isChecked && isMissing ? 'Say why.' : undefined) ?? refusalAt(change.error, '/body/reason')}
        />
        <Refusal error={change.error} shown={['/body/reason']} />
        <FormFoot label={label} isPending={change.isPending} onCancel={onClose} why={offline} />
      </form>
    </Dialog>
  )
}

function OnDialog({ program, rule, onClose }: RuleDialogProps) {
  const offline = useOffline()
  const on = useRuleChange(onClose, () => call(endpoints.activateRule, { params: { code: program, rule: rule.code } }))
  return (
    <Dialog opened title={`Switch on: ${rule.title}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          on.mutate(undefined)
        }}
      >
        <Text>{rule.condition} It watches everybody in the program from now on.</Text>
        {rule.problem === undefined ? null : (
          <Text mt="xs" fw={600}>
            {rule.problem}
          </Text>
        )}
        <Refusal error={on.error} />
        <FormFoot label="Switch on" isPending={on.isPending} onCancel={onClose} why={offline} />
      </form>
    </Dialog>
  )
}
