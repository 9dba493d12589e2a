/** What stands around the pages of a patient or caregiver: whose clinic it is, where they can go, the way out. */
import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useEffect, useSyncExternalStore } from 'react'
import { lockState, onLockState, signOutNow, watchForHumans } from '../../app/idle.ts'
import { useMe } from '../../app/session.tsx'
import { StepUpDialog } from '../../app/step-up-dialog.tsx'
import { LockScreen } from '../lock-screen.tsx'
import classes from './person.module.css'

export function PersonFrame({ children }: { children: ReactNode }) {
  const state = useSyncExternalStore(onLockState, lockState)
  if (state === 'locked') return <LockScreen />
  return <OpenFrame>{children}</OpenFrame>
}

function OpenFrame({ children }: { children: ReactNode }) {
  const { idleLockMs, tenant } = useMe()
  useEffect(() => watchForHumans(idleLockMs ?? Number.POSITIVE_INFINITY), [idleLockMs])
  return (
    <div className={classes.frame}>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className={classes.bar}>
        <span className={classes.brand}>
          <img src="/icon.svg" alt="" />
          Careloop · {tenant.name}
        </span>
        <nav className={classes.links} aria-label="Where to go">
          <Link to="/today" activeOptions={{ exact: true }} className={classes.link}>
            Today
          </Link>
          <Link to="/today/account" className={classes.link}>
            Your account
          </Link>
        </nav>
        <SignOut />
      </header>
      <main id="main" className={classes.main}>
        {children}
      </main>
      <StepUpDialog />
    </div>
  )
}

function SignOut() {
  const navigate = useNavigate()
  const client = useQueryClient()
  const leave = async () => {
    await signOutNow()
    client.clear()
    await navigate({ to: '/sign-in' })
  }
  return (
    <Button variant="default" mih={44} onClick={() => void leave()}>
      Sign out
    </Button>
  )
}
