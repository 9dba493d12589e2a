/** The way to the organisation's own sign-in, and what is said when it did not let somebody in. */
import { Button, Divider, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { accessQueries } from '../api/access-queries.ts'

/** @param org of a link such as `/sign-in?org=st-anna`; without it the one provider of this installation, if it has one */
export function SsoEntry({ org, back }: { org?: string | undefined; back?: string | undefined }) {
  const { data } = useQuery({ ...accessQueries.ssoButtons, enabled: org === undefined })
  const button = org === undefined ? data?.[0] : { slug: org, name: org }
  if (button === undefined) return null
  const query = back === undefined ? '' : `?${new URLSearchParams({ back })}`
  return (
    <>
      <Divider my="md" label="or" />
      <Button
        component="a"
        href={`/api/auth/sso/${encodeURIComponent(button.slug)}/start${query}`}
        variant="default"
        fullWidth
        mih={44}
      >
        Sign in with {button.name}
      </Button>
    </>
  )
}

const words: Readonly<Record<string, string>> = {
  refused: 'Your organisation’s sign-in did not let you in here. Try again; if it stays so, ask your administrator.',
  expired: 'That took too long, or was begun in another window. Try again.',
  'no-role': 'Your organisation’s sign-in knows you, and gives you no role in Careloop. Ask your administrator.',
}

export function SsoRefusal({ why }: { why: string | undefined }) {
  const said = why === undefined || !Object.hasOwn(words, why) ? undefined : words[why]
  return said === undefined ? null : (
    <Text role="alert" fw={600}>
      {said}
    </Text>
  )
}

/** `code`, `passkey` or both: what the server asks for after the provider. */
export function secondStepsOf(sso: string | undefined): ('code' | 'passkey')[] | undefined {
  const steps = (sso ?? '').split('-').filter((each) => each === 'code' || each === 'passkey')
  return steps.length === 0 ? undefined : steps
}
