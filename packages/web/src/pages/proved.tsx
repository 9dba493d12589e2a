/** Back from the organisation's sign-in, where somebody showed again who they are before a grave act. It opened in a tab of its own. */
import { Button, Text } from '@mantine/core'
import { Link, useSearch } from '@tanstack/react-router'
import { useEffect } from 'react'
import { Door } from './door.tsx'

export function ProvedPage() {
  const { failed } = useSearch({ from: '/proved' })
  useEffect(() => {
    document.title = 'Show that it is you · Careloop'
  }, [])
  return (
    <Door title={failed === undefined ? 'It is you' : 'Not shown'}>
      {failed === undefined ? (
        <Text role="status">
          Close this tab and go on in the one where you were. It counts for five minutes, in this browser only.
        </Text>
      ) : (
        <Text role="alert" fw={600}>
          {failed === 'expired'
            ? 'That took too long, or was begun in another window. Close this tab and begin again where you were.'
            : 'Your organisation’s sign-in did not show that it is you, with a second factor, just now. Close this tab and try again where you were; if it stays so, set up a passkey or an authenticator app on your account page.'}
        </Text>
      )}
      <Button component={Link} to="/" variant="default" mih={44}>
        To the first page
      </Button>
    </Door>
  )
}
