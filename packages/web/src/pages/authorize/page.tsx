/** An app asks a person for access: who asks, for what, of which patient; yes or no. Apart from our own pages: nothing leads elsewhere. */
import type { AuthorizationShown } from '@careloop/contract'
import { Button, Checkbox, Group, Loader, Radio, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { queries } from '../../api/queries.ts'
import { useMe } from '../../app/session.tsx'
import { useTitle } from '../../parts/page.tsx'
import { isNeeded, scopeWords } from '../apps/scope-words.ts'
import { Door, Refusal } from '../door.tsx'
import { SubjectPicker } from '../subjects/subject-picker.tsx'
import { askedQuery } from './asked-query.ts'

export function AuthorizePage() {
  useTitle('Allow an app')
  const [query] = useState(askedQuery)
  const looked = useQuery({
    queryKey: ['authorization', query],
    queryFn: async () => {
      const shown = await call(endpoints.lookAtAuthorization, { body: { query } })
      if (shown.next === 'back') location.replace(shown.redirect)
      return shown
    },
    ...{ retry: false, staleTime: Number.POSITIVE_INFINITY, gcTime: 0, refetchOnWindowFocus: false },
  })
  if (looked.data?.next === 'ask') return <Question query={query} shown={looked.data} />
  return (
    <Door title="An app asks for access">
      {looked.error === null ? <Loader aria-label="Reading what the app asks for" /> : <Refusal error={looked.error} />}
    </Door>
  )
}

type Asked = Extract<AuthorizationShown, { next: 'ask' }>

function Question({ query, shown }: { query: string; shown: Asked }) {
  const me = useMe()
  const { app, scopes, choices } = shown
  const [left, setLeft] = useState<readonly string[]>(scopes)
  const [subject, setSubject] = useState(choices?.length === 1 ? choices[0]!.id : '')
  const decide = useMutation({
    mutationFn: (isAllowed: boolean) =>
      call(endpoints.decideAuthorization, {
        body: { query, isAllowed, scopes: [...left], ...(subject === '' ? {} : { subject }) },
      }),
    onSuccess: ({ redirect }) => location.assign(redirect),
  })
  const isChosen = shown.patient !== 'choose' || subject !== ''
  const isGoing = decide.isPending || decide.isSuccess
  return (
    <Door title={`Allow ${app.name}?`}>
      <Text>
        {app.name} (at {app.host}) asks for access. You are {me.displayName} of {me.tenant.name}. It sees no more than
        you do.
      </Text>
      <Patient shown={shown} value={subject} onChange={setSubject} />
      <Scopes scopes={scopes} left={left} onChange={setLeft} />
      <Text c="dimmed">You can take this back at any time, on your account page.</Text>
      <Refusal error={decide.error} />
      {isChosen ? null : <Text role="status">Choose the patient first.</Text>}
      <Group justify="flex-end">
        <Button variant="default" mih={44} disabled={isGoing} onClick={() => decide.mutate(false)}>
          Do not allow
        </Button>
        <Button mih={44} disabled={!isChosen || isGoing} loading={isGoing} onClick={() => decide.mutate(true)}>
          Allow
        </Button>
      </Group>
    </Door>
  )
}

interface ScopesProps {
  readonly scopes: readonly string[]
  readonly left: readonly string[]
  readonly onChange: (left: readonly string[]) => void
}

function Scopes({ scopes, left, onChange }: ScopesProps) {
  const toggle = (scope: string, isOn: boolean) =>
    onChange(scopes.filter((each) => (each === scope ? isOn : left.includes(each))))
  return (
    <Checkbox.Group label="It may" value={[...left]}>
      <Stack gap={0}>
        {scopes.map((scope) => (
          <Checkbox
            key={scope}
            value={scope}
            py={8}
            label={scopeWords(scope)}
            disabled={isNeeded(scope)}
            title={isNeeded(scope) ? 'The app cannot begin without it.' : undefined}
            onChange={(event) => toggle(scope, event.currentTarget.checked)}
          />
        ))}
      </Stack>
    </Checkbox.Group>
  )
}

interface PatientProps {
  readonly shown: Asked
  readonly value: string
  readonly onChange: (id: string) => void
}

function Patient({ shown, value, onChange }: PatientProps) {
  if (shown.patient === 'none') return null
  if (shown.patient === 'chosen') return <Launched id={shown.subject!} />
  if (shown.choices === undefined) return <SubjectPicker kind="patient" value={value} onChange={onChange} />
  if (shown.choices.length === 0) return <Text role="status">There is nobody here whose data you see.</Text>
  return (
    <Radio.Group label="Whose data" value={value} onChange={onChange}>
      <Stack gap={0}>
        {shown.choices.map(({ id, display }) => (
          <Radio key={id} value={id} py={8} label={display} />
        ))}
      </Stack>
    </Radio.Group>
  )
}

function Launched({ id }: { id: string }) {
  const { data } = useQuery(queries.subject(id))
  if (data === undefined) return <Loader size="sm" aria-label="Reading who the patient is" />
  return (
    <Text>
      Patient: <strong>{data.display}</strong>
      {data.birthDate === undefined ? '' : `, born ${data.birthDate}`}
    </Text>
  )
}
