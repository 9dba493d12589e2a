/** The form of the identity provider. Groups are lines `group = role, role`, as they are copied from a provider's list. */
import { type IdentityProvider, type Role, roles } from '@careloop/contract'
import { Checkbox, PasswordInput, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { FormFoot, Refusal, refusalAt } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import { linesOf, mapOf, wordsOf } from './role-lines.ts'

export function SettingsForm({ provider, onEnd }: { provider: IdentityProvider | null; onEnd: () => void }) {
  const client = useQueryClient()
  const why = useOffline()
  const [groups, setGroups] = useState(provider === null ? '' : linesOf(provider.roleMap))
  const read = mapOf(groups, roles)
  const save = useMutation({
    mutationFn: (body: Parameters<typeof bodyOf>[0]) => call(endpoints.setIdentityProvider, { body: bodyOf(body) }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['identity-provider'] })
      onEnd()
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if ('roleMap' in read) save.mutate({ form: new FormData(event.currentTarget), roleMap: read.roleMap })
  }
  const at = (field: string) => refusalAt(save.error, `/body/${field}`)
  return (
    <form onSubmit={submit}>
      <TextInput
        {...{ label: 'Name', name: 'name', required: true, maxLength: 200, size: 'md' }}
        description="On the button of the sign-in page."
        defaultValue={provider?.name ?? ''}
      />
      <TextInput
        {...{ label: 'Link', name: 'slug', required: true, maxLength: 48, size: 'md', mt: 'md' }}
        description="Small letters, digits and hyphens: /sign-in?org=st-anna"
        defaultValue={provider?.slug ?? ''}
        error={at('slug')}
      />
      <TextInput
        {...{ label: 'Issuer', name: 'issuer', type: 'url', required: true, maxLength: 500, size: 'md', mt: 'md' }}
        description="As the provider writes it, without /.well-known."
        defaultValue={provider?.issuer ?? ''}
        error={at('issuer')}
      />
      <TextInput
        {...{ label: 'Client id', name: 'clientId', required: true, maxLength: 500, size: 'md', mt: 'md' }}
        defaultValue={provider?.clientId ?? ''}
      />
      <PasswordInput
        {...{ label: 'Client secret', name: 'clientSecret', maxLength: 1000, size: 'md', mt: 'md' }}
        description={
          provider?.hasSecret ? 'Left empty: the one that is kept stays.' : 'Kept sealed; never shown again.'
        }
        autoComplete="off"
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the secret' }}
      />
      <TextInput
        {...{ label: 'Claim that names the groups', name: 'groupsClaim', required: true, size: 'md', mt: 'md' }}
        description="groups, roles, or a path such as realm_access.roles"
        defaultValue={provider?.groupsClaim ?? 'groups'}
      />
      <Textarea
        {...{ label: 'Groups and roles', required: true, autosize: true, minRows: 3, size: 'md', mt: 'md' }}
        description={`A line a group: ward-nurses = nurse. Roles: ${roles.join(', ')}. Who has no group here does not get in.`}
        value={groups}
        onChange={(event) => setGroups(event.currentTarget.value)}
        error={groups !== '' && 'wrong' in read ? read.wrong : at('roleMap')}
      />
      <TextInput
        {...{ label: 'E-mail domains', name: 'emailDomains', size: 'md', mt: 'md' }}
        description="Separated by commas; empty: any."
        defaultValue={provider?.emailDomains.join(', ') ?? ''}
        error={at('emailDomains/0')}
      />
      <TextInput
        {...{ label: 'acr values that prove a second factor', name: 'mfaAcr', size: 'md', mt: 'md' }}
        defaultValue={provider?.mfaAcr.join(', ') ?? ''}
      />
      <TextInput
        {...{ label: 'amr values that prove a second factor', name: 'mfaAmr', size: 'md', mt: 'md' }}
        description="For example mfa. Empty: Careloop asks for its own where a role demands one."
        defaultValue={provider?.mfaAmr.join(', ') ?? ''}
      />
      <Checkbox
        {...{ name: 'linkExisting', size: 'md', mt: 'md' }}
        label="Somebody whose e-mail the provider has verified goes on under the account of that e-mail here"
        defaultChecked={provider?.linkExisting ?? false}
      />
      <Checkbox
        {...{ name: 'isEnabled', size: 'md', mt: 'md' }}
        label="Staff can sign in by it"
        defaultChecked={provider?.isEnabled ?? true}
      />
      <Refusal error={save.error} shown={['/body/slug', '/body/issuer', '/body/roleMap', '/body/emailDomains/0']} />
      <FormFoot
        label="Save"
        isPending={save.isPending}
        onCancel={onEnd}
        why={why ?? ('wrong' in read && groups !== '' ? 'Mend the groups first.' : null)}
      />
    </form>
  )
}

function bodyOf({ form, roleMap }: { form: FormData; roleMap: { group: string; roles: Role[] }[] }) {
  const field = (name: string) => String(form.get(name) ?? '').trim()
  const [clientSecret, isOn] = [field('clientSecret'), (name: string) => form.get(name) !== null]
  return {
    ...{ name: field('name'), slug: field('slug'), issuer: field('issuer'), clientId: field('clientId') },
    ...(clientSecret === '' ? {} : { clientSecret }),
    ...{ groupsClaim: field('groupsClaim'), roleMap, emailDomains: wordsOf(field('emailDomains')) },
    ...{ mfaAcr: wordsOf(field('mfaAcr')), mfaAmr: wordsOf(field('mfaAmr')) },
    ...{ linkExisting: isOn('linkExisting'), isEnabled: isOn('isEnabled') },
  }
}
