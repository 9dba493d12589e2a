/** Asks the server as another system would, with the rights of who is signed in, and shows the answer as it came. */
import { Button, Group, NativeSelect, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { askFhir, type FhirAnswer, fhirBase } from '../../api/fhir.ts'
import { CodeText } from '../../parts/code-text.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Failed } from '../../parts/page-state.tsx'
import { bytesText } from '../../parts/words.ts'
import { curlOf, type Request, requestOf } from './curl.ts'
import classes from './developers.module.css'

const examples = [
  { label: 'What this server can', ask: 'GET', path: '/metadata' },
  { label: 'Patients, newest first', ask: 'search', path: '/Patient', form: '_sort=-_lastUpdated\n_count=5' },
  {
    label: 'Blood pressures above 160 mmHg',
    ask: 'search',
    path: '/Observation',
    form: 'component-code-value-quantity=http://loinc.org|8480-6$gt160|http://unitsofmeasure.org|mm[Hg]\n_sort=-date\n_count=5',
  },
  { label: 'Open alerts', ask: 'search', path: '/Flag', form: 'status=active' },
  { label: 'Who may do what: SMART configuration', ask: 'GET', path: '/.well-known/smart-configuration' },
] as const

export function TryItPart() {
  const [ask, setAsk] = useState<Request['ask']>('GET')
  const [path, setPath] = useState('/metadata')
  const [form, setForm] = useState('')
  const asked = requestOf({ ask, path, form })
  const answer = useMutation({ mutationFn: ({ path, form }: Request) => send(path, form) })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (asked.problem === undefined) answer.mutate(asked.request)
  }
  return (
    <>
      <Text mb="sm">
        Sent with your own session: you see what your role and the patients’ consent let you see, and it stands in the
        audit trail. Search by form, so that no name comes into a URL. This page reads only.
      </Text>
      <NativeSelect
        label="Begin with"
        maw={420}
        mb="sm"
        value=""
        onChange={(event) => {
          const example = examples[Number(event.currentTarget.value)]
          if (example === undefined) return
          setAsk(example.ask)
          setPath(example.path)
          setForm('form' in example ? example.form : '')
        }}
        data={[{ value: '', label: 'An example' }, ...examples.map(({ label }, at) => ({ value: String(at), label }))]}
      />
      <form onSubmit={submit} noValidate>
        <Group align="flex-start" gap="sm">
          <NativeSelect
            label="How"
            value={ask}
            onChange={(event) => setAsk(event.currentTarget.value as Request['ask'])}
            data={[
              { value: 'GET', label: 'Read (GET)' },
              { value: 'search', label: 'Search (POST _search)' },
            ]}
          />
          <TextInput
            label={`Path below ${fhirBase}`}
            flex="1 1 18rem"
            value={path}
            onChange={(event) => setPath(event.currentTarget.value)}
            error={asked.problem}
            spellCheck={false}
            autoComplete="off"
          />
        </Group>
        {ask === 'search' ? (
          <Textarea
            label="Search parameters, one a line"
            placeholder="name=value"
            mt="sm"
            autosize
            minRows={3}
            value={form}
            onChange={(event) => setForm(event.currentTarget.value)}
            spellCheck={false}
          />
        ) : null}
        <Group mt="sm" gap="sm">
          <Button type="submit" mih={44} loading={answer.isPending} disabled={asked.problem !== undefined}>
            Send
          </Button>
          {asked.problem === undefined ? (
            <CopyButton text={curlOf(asked.request, location.origin)} what="the curl command" label="Copy as curl" />
          ) : null}
        </Group>
      </form>
      {answer.isError ? <Failed what="Nothing came back" error={answer.error} onRetry={() => answer.reset()} /> : null}
      {answer.data === undefined ? null : <Answer answer={answer.data} />}
    </>
  )
}

const send = (path: string, form: string | undefined): Promise<FhirAnswer> =>
  askFhir(path, form === undefined ? {} : { form: new URLSearchParams(form) })

/** Answers of megabytes are shown by their beginning: a browser draws no more. */
const shownCharacters = 200_000

function Answer({ answer: { status, statusText, headers, text, ms } }: { answer: FhirAnswer }) {
  const pretty = prettyOf(text)
  return (
    <section aria-label="Answer">
      <Group gap="md" mt="md">
        <Text className={classes.status!} role="status">
          {status} {statusText}, {bytesText(text.length)}, {Math.round(ms)} ms
        </Text>
        <CopyButton text={pretty} what="the answer" label="Copy the answer" />
      </Group>
      <details>
        <summary>Headers</summary>
        <CodeText text={headers.map(([name, value]) => `${name}: ${value}`).join('\n')} />
      </details>
      <CodeText text={pretty.slice(0, shownCharacters)} />
      {pretty.length > shownCharacters ? <Text c="dimmed">The beginning is shown; copy for the whole.</Text> : null}
    </section>
  )
}

/** With line breaks; numbers keep their spelling, because what is shown is what was sent. */
function prettyOf(text: string): string {
  try {
    // `rawJSON` keeps `1.00` as it came.
    const raw = JSON as unknown as { rawJSON?: (text: string) => unknown }
    const keep = (_: string, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' && context?.source !== undefined && raw.rawJSON !== undefined
        ? raw.rawJSON(context.source)
        : value
    return JSON.stringify(JSON.parse(text, keep), null, 2)
  } catch {
    return text
  }
}
