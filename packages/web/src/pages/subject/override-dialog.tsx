/** A limit of one subject that differs from its program's: by whom, why, until when. */
import type { NewOverride, ProgramList, SubjectRules } from '@careloop/contract'
import { Button, SegmentedControl, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { careQueries } from '../../api/care-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { serverNow } from '../../app/clock.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { draftsOf, editsOf, isChanged, type LimitDraft } from '../../parts/limit/limit-draft.ts'
import { areSound, LimitFields, limitPointers } from '../../parts/limit/limit-fields.tsx'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import { momentText } from '../../parts/words.ts'
import { limitText } from './limits.ts'

type SubjectRule = SubjectRules['rules'][number]

interface OverrideProps {
  readonly subject: string
  readonly of: SubjectRule
  readonly onClose: () => void
}

export function OverrideDialog(props: OverrideProps) {
  return (
    <Dialog opened title={`Own limits: ${props.of.rule.title}`} size="lg" onClose={props.onClose}>
      <Form {...props} />
    </Dialog>
  )
}

function Form({ subject, of, onClose }: OverrideProps) {
  const [drafts, setDrafts] = useState<readonly LimitDraft[]>(() => draftsOf(of.thresholds))
  const [reason, setReason] = useState('')
  const [until, setUntil] = useState(() => dayAfter(30))
  const [isChecked, setChecked] = useState(false)
  const said = useProgramSays(of)
  const offline = useOffline()
  const save = useSaved(subject, onClose)
  const own = of.override !== undefined && of.override.endedAt === undefined ? of.override : undefined
  const wrong = {
    reason: reason.trim().length < 3 ? 'Say why this subject has another limit.' : undefined,
    until: untilProblem(until),
    limits: drafts.some(isChanged) || own !== undefined ? undefined : 'Change at least one limit.',
  }
  const submit = () => {
    setChecked(true)
    if (wrong.reason ?? wrong.until ?? wrong.limits) return
    if (!areSound(drafts)) return
    // What stood before is replaced as a whole: limits that stay are sent again.
    const limits = own === undefined ? editsOf(drafts) : allOf(drafts, said)
    save.mutate({ rule: of.rule.id, limits, reason: reason.trim(), expiresAt: endOfDay(until) })
  }
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <Text mb="xs">{of.rule.condition}</Text>
      {own === undefined ? null : <Standing own={own} onEnded={onClose} />}
      <LimitFields
        drafts={drafts}
        onChange={setDrafts}
        isChecked={isChecked}
        error={save.error}
        hint={({ of: { part, index } }) => {
          const program = said.get(`${part}/${index}`)
          return program === undefined ? undefined : `The program says ${limitText(program)}`
        }}
      />
      {isChecked && wrong.limits !== undefined ? <Text role="alert">{wrong.limits}</Text> : null}
      <Textarea
        label="Reason"
        description="Read by everybody who handles an alert of this rule."
        required
        autosize
        minRows={2}
        maxLength={1000}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={(isChecked ? wrong.reason : undefined) ?? refusalAt(save.error, '/body/reason')}
      />
      <Until
        value={until}
        onChange={setUntil}
        error={(isChecked ? wrong.until : undefined) ?? refusalAt(save.error, '/body/expiresAt')}
      />
      <Refusal error={save.error} shown={['/body/reason', '/body/expiresAt', ...limitPointers(drafts)]} />
      <FormFoot label="Set the limits" isPending={save.isPending} onCancel={onClose} why={offline} />
    </form>
  )
}

function Standing({ own, onEnded }: { own: NonNullable<SubjectRule['override']>; onEnded: () => void }) {
  const client = useQueryClient()
  const end = useMutation({
    mutationFn: () => call(endpoints.endOverride, { params: { id: own.subject, override: own.id } }),
    async onSuccess() {
      await client.invalidateQueries({ queryKey: ['rules', own.subject] })
      onEnded()
    },
  })
  return (
    <>
      <Text mb="xs">
        Own limits stand until {momentText(own.expiresAt, serverNow())}, set by {own.author.name}: {own.reason}
      </Text>
      <Button variant="default" mih={44} mb="sm" loading={end.isPending} onClick={() => end.mutate()}>
        Back to the program's limits
      </Button>
      <Refusal error={end.error} />
    </>
  )
}

interface UntilProps {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly error: string | undefined
}

function Until({ value, onChange, error }: UntilProps) {
  const choices = [7, 30, 90].map((days) => ({ value: dayAfter(days), label: `${days} days` }))
  return (
    <>
      <TextInput
        mt="sm"
        type="date"
        label="Until the end of"
        description="Then the program's limits stand again. At most a year."
        required
        value={value}
        min={dayAfter(0)}
        max={dayAfter(364)}
        onChange={(event) => onChange(event.currentTarget.value)}
        error={error}
      />
      <SegmentedControl mt={6} aria-label="Quick choice" data={choices} value={value} onChange={onChange} />
    </>
  )
}

/** The program's own limits by `part/index`, while an own one stands in their place. */
function useProgramSays({ rule, program }: SubjectRule) {
  const programs = useQuery(careQueries.programs).data
  return saidBy(programs, program.code, rule.id)
}

function saidBy(list: ProgramList | undefined, code: string, rule: string) {
  const found = list?.programs.find((each) => each.code === code)?.rules.find(({ id }) => id === rule)
  return new Map(found?.thresholds.map((each) => [`${each.part}/${each.index}`, each]))
}

/** Every limit that differs from the program's. */
function allOf(drafts: readonly LimitDraft[], said: ReturnType<typeof saidBy>): NewOverride['limits'] {
  const all = editsOf(drafts.map((draft) => ({ ...draft, of: { ...draft.of, limit: Number.NaN } })))
  const differing = all.filter(({ part, index, limit }) => said.get(`${part}/${index}`)?.limit !== limit)
  return differing.length === 0 ? all : differing
}

function useSaved(subject: string, onSaved: () => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: NewOverride) => call(endpoints.newOverride, { params: { id: subject }, body }),
    async onSuccess() {
      await client.invalidateQueries({ queryKey: ['rules', subject] })
      onSaved()
    },
  })
}

/** `YYYY-MM-DD` in the viewer's zone. */
const dayAfter = (days: number): string => new Intl.DateTimeFormat('en-CA').format(serverNow() + days * 86_400_000)

/** The last millisecond of a day of the viewer's. */
const endOfDay = (day: string): number => new Date(`${day}T23:59:59.999`).getTime()

function untilProblem(day: string): string | undefined {
  const end = endOfDay(day)
  if (Number.isNaN(end)) return 'Choose a day.'
  if (end <= serverNow()) return 'Choose today or a later day.'
  return end > serverNow() + 366 * 86_400_000 ? 'At most a year from now.' : undefined
}
