/** The account of a patient or caregiver: password, second factor, where they are signed in. */
import { Text } from '@mantine/core'
import { Page, useTitle } from '../../parts/page.tsx'
import { OwnPasskeys } from '../account/own-passkeys.tsx'
import { OwnSecondFactor } from '../account/own-second-factor.tsx'
import { PasswordForm } from '../account/password-form.tsx'
import { Sessions } from '../account/sessions.tsx'
import { OwnApps } from '../apps/own-apps.tsx'
import { PersonFrame } from './frame.tsx'

export function PersonAccountPage() {
  useTitle('Your account')
  return (
    <PersonFrame>
      <Page title="Your account">
        <Text>You can change your password here. You can also make sign-in safer with a second step.</Text>
        <PasswordForm />
        <OwnSecondFactor />
        <OwnPasskeys />
        <OwnApps />
        <Sessions />
      </Page>
    </PersonFrame>
  )
}
