/** One's own account: passkeys, second factor, password, where one is signed in. */
import type { QueryClient } from '@tanstack/react-query'
import { accountQueries } from '../../api/account-queries.ts'
import { useMe } from '../../app/session.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { OwnApps } from '../apps/own-apps.tsx'
import { OwnPasskeys } from './own-passkeys.tsx'
import { OwnSecondFactor } from './own-second-factor.tsx'
import { PasswordForm } from './password-form.tsx'
import { Sessions } from './sessions.tsx'

export const loadAccount = (client: QueryClient): void => {
  void client.prefetchQuery(accountQueries.sessions)
  void client.prefetchQuery(accountQueries.secondFactor)
  void client.prefetchQuery(accountQueries.passkeys)
}

export function AccountPage() {
  useTitle('Your account')
  const me = useMe()
  return (
    <Page title="Your account">
      <p>
        {me.displayName}, {me.roles.join(', ')} of {me.tenant.name}
      </p>
      <OwnPasskeys />
      <OwnSecondFactor />
      <PasswordForm />
      <OwnApps />
      <Sessions />
    </Page>
  )
}
