/** The form of an app: addresses and scopes are lines, as an integrator sends them. */
import type { AppBody, AppKind, AppMade, NewAppInput, SetAppInput } from '@careloop/contract'
import { Radio, Stack, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'

const usualScopes = 'openid fhirUser launch launch/patient patient/*.rs'

const kinds: readonly (readonly [AppKind, string])[] = [
  ['public', 'It runs in a browser or on a telephone, and can keep no secret'],
  ['symmetric', 'It runs on a server, and proves itself by a secret'],
  ['asymmetric', 'It runs on a server, and proves itself by a key of its own (also backend services)'],
]

interface AppFormProps {
  /** null: a new one. */
  readonly app: AppBody | null
  readonly onEnd: () => void
  readonly onMade: (made: AppMade) => void
}

export function AppForm({ app, onEnd, onMade }: AppFormProps) {
  const client = useQueryClient()
  const why = useOffline()
  const [kind, setKind] = useState<AppKind>(app?.kind ?? 'public')
  const [wrong, setWrong] = useState<string | null>(null)
  const save = useMutation({
    mutationFn: async (settings: Settings): Promise<AppMade> => {
      if (app === null) return call(endpoints.registerApp, { body: { kind, ...settings } })
      const body = { ...settings, isEnabled: app.disabledAt === null }
      return { app: await call(endpoints.changeApp, { params: { id: app.id }, body }), secret: null }
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['apps'] })
      onMade(made)
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const read = readForm(new FormData(event.currentTarget), kind)
    setWrong('wrong' in read ? read.wrong : null)
    if (!('wrong' in read)) save.mutate(read)
  }
  const of = (field: string) => lineRefusal(save.error, field)
  return (
    <form onSubmit={submit}>
      <TextInput
        {...{ label: 'Name', name: 'name', required: true, maxLength: 100, size: 'md', 'data-autofocus': true }}
        description="People read it when the app asks them."
        defaultValue={app?.name ?? ''}
      />
      {app === null ? (
        <Radio.Group mt="md" label="How it proves itself" value={kind} onChange={(value) => setKind(value as AppKind)}>
          <Stack gap={0}>
            {kinds.map(([value, label]) => (
              <Radio key={value} value={value} label={label} py={8} />
            ))}
          </Stack>
        </Radio.Group>
      ) : null}
      <Textarea
        {...{ label: 'Redirect URIs', name: 'redirectUris', autosize: true, minRows: 2, size: 'md', mt: 'md' }}
        description="A line each, letter by letter as the app sends them. None: a backend service."
        defaultValue={app?.redirectUris.join('\n') ?? ''}
        error={of('redirectUris')}
      />
      <TextInput
        {...{ label: 'Launch URL', name: 'launchUrl', type: 'url', maxLength: 2000, size: 'md', mt: 'md' }}
        description="Where a patient’s page opens it. Empty: it is opened by itself."
        defaultValue={app?.launchUrl ?? ''}
        error={of('launchUrl')}
      />
      <Textarea
        {...{ label: 'Scopes', name: 'scopes', required: true, autosize: true, minRows: 3, size: 'md', mt: 'md' }}
        description="The most that it can be granted, with blanks between. Of a backend service: system/*.rs"
        defaultValue={app?.scopes.join(' ') ?? usualScopes}
        error={of('scopes')}
      />
      {kind === 'asymmetric' ? <Keys app={app} error={wrong ?? of('jwksUri') ?? of('jwks')} /> : null}
      <Refusal error={save.error} shown={shownOf(save.error)} />
      <FormFoot label={app === null ? 'Register' : 'Save'} isPending={save.isPending} onCancel={onEnd} why={why} />
    </form>
  )
}

function Keys({ app, error }: { app: AppBody | null; error: string | undefined }) {
  return (
    <Textarea
      {...{
        label: 'Public keys',
        name: 'keys',
        required: true,
        autosize: true,
        minRows: 2,
        maxRows: 10,
        size: 'md',
        mt: 'md',
      }}
      description="The address where it publishes them (JWKS), or the JWKS itself. RS384 or ES384."
      defaultValue={app?.jwksUri ?? (app?.jwks ? JSON.stringify(app.jwks) : '')}
      error={error}
    />
  )
}

type Settings = Omit<NewAppInput, 'kind'>

export const settingsOf = ({
  name,
  redirectUris,
  launchUrl,
  scopes,
  jwksUri,
  jwks,
}: AppBody): Omit<SetAppInput, 'isEnabled'> => ({
  ...{ name, redirectUris, launchUrl, scopes, jwksUri, jwks },
})

function readForm(form: FormData, kind: AppKind): Settings | { wrong: string } {
  const field = (name: string) => String(form.get(name) ?? '').trim()
  const words = (name: string) =>
    field(name)
      .split(/\s+/)
      .filter((word) => word !== '')
  const settings = {
    ...{ name: field('name'), redirectUris: words('redirectUris'), scopes: words('scopes') },
    ...{ launchUrl: field('launchUrl') || null, jwksUri: null, jwks: null },
  }
  if (kind !== 'asymmetric') return settings
  const keys = field('keys')
  if (!keys.startsWith('{')) return { ...settings, jwksUri: keys }
  try {
    return { ...settings, jwks: JSON.parse(keys) as NonNullable<NewAppInput['jwks']> }
  } catch {
    return { wrong: 'This is neither an address nor a JWKS in JSON.' }
  }
}

const fields = ['redirectUris', 'launchUrl', 'scopes', 'jwksUri', 'jwks'] as const

/** A line of a field is refused by its place: `/body/scopes/3`. */
function lineRefusal(error: Error | null, field: string): string | undefined {
  const pointer = pointerOf(error)
  return pointer === `/body/${field}` || pointer?.startsWith(`/body/${field}/`) ? refusalAt(error, pointer) : undefined
}

const pointerOf = (error: Error | null): string | undefined =>
  error !== null && 'pointer' in error ? String(error.pointer) : undefined

function shownOf(error: Error | null): string[] {
  const pointer = pointerOf(error)
  return fields.some((field) => lineRefusal(error, field) !== undefined) ? [pointer!] : []
}
