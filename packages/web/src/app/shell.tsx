/** What stands around every page of a signed-in person: where they can go, whether it is live, who they are. */
import type { Me } from '@careloop/contract'
import { Button, Menu, useMantineColorScheme } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { Outlet, useNavigate, useRouter, useRouterState } from '@tanstack/react-router'
import { Suspense, useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { LockScreen } from '../pages/lock-screen.tsx'
import { DemoMark } from '../parts/first-minute/demo-mark.tsx'
import { DemoGuide } from '../parts/first-minute/first-minute.tsx'
import { Bell } from '../parts/notifications/bell.tsx'
import { Loading } from '../parts/page-state.tsx'
import { Palette } from '../parts/palette/palette.tsx'
import { dismissUndo, tellDone } from '../parts/undo/undo-store.ts'
import { UndoToast } from '../parts/undo/undo-toast.tsx'
import { momentText, spanText } from '../parts/words.ts'
import { useNow } from './clock.ts'
import { lockNow, lockState, onLockState, showLocked, signOutNow, watchForHumans } from './idle.ts'
import { KeysDialog } from './keys-dialog.tsx'
import { LiveProvider, useLive } from './live-context.tsx'
import { Navigation } from './navigation.tsx'
import { loadAhead } from './pages.ts'
import { usePlaces } from './places.ts'
import { useMe } from './session.tsx'
import classes from './shell.module.css'
import { StepUpDialog } from './step-up-dialog.tsx'
import { useKeys } from './use-keys.ts'

export function Shell() {
  const state = useSyncExternalStore(onLockState, lockState)
  // Not beside the page but instead of it: what a lock screen covers can be read by who looks into the document.
  if (state === 'locked') return <Locked />
  return (
    <Suspense fallback={<Loading />}>
      <OpenShell />
    </Suspense>
  )
}

function Locked() {
  const client = useQueryClient()
  const router = useRouter()
  useEffect(() => {
    client.clear()
    dismissUndo()
    const stop = watchForHumans(Number.POSITIVE_INFINITY)
    return () => {
      stop()
      // What the page had asked for meanwhile was refused: it asks again, whichever tab was unlocked.
      void router.invalidate()
    }
  }, [client, router])
  return <LockScreen />
}

function OpenShell() {
  const { idleLockMs } = useMe()
  useEffect(() => watchForHumans(idleLockMs ?? Number.POSITIVE_INFINITY), [idleLockMs])
  useEffect(() => loadAhead(), [])
  const navigate = useNavigate()
  const client = useQueryClient()
  const toSignIn = useCallback(() => {
    client.clear()
    void navigate({ to: '/sign-in', search: { back: location.pathname, ended: true } })
  }, [client, navigate])
  return (
    <LiveProvider onSignedOut={toSignIn} onLocked={showLocked}>
      <div className={classes.shell}>
        <a className="skip" href="#main">
          Skip to the page
        </a>
        <DemoMark guides />
        <Bar />
        <Disconnected />
        <DemoGuide />
        <main id="main" className={classes.main}>
          <Outlet />
        </main>
        <UndoToast />
        <Palette />
        <StepUpDialog />
      </div>
    </LiveProvider>
  )
}

function Bar() {
  const me = useMe()
  const [keysShown, setKeysShown] = useState(false)
  const places = usePlaces()
  const navigate = useNavigate()
  const goTo = places.map(({ to, key }) => [`g ${key}`, () => void navigate({ to })] as const)
  useKeys({ '?': () => setKeysShown(true), ...Object.fromEntries(goTo) })
  useFocusOnPage()
  return (
    <header className={classes.bar}>
      <div className={classes.brand}>
        <img src="/icon.svg" alt="" />
        <span>Careloop</span>
      </div>
      <Navigation places={places} />
      <LiveDot />
      <Bell />
      <PersonMenu me={me} onKeys={() => setKeysShown(true)} />
      <KeysDialog opened={keysShown} onClose={() => setKeysShown(false)} />
    </header>
  )
}

/** A screen reader hears which page it is on after a navigation. */
function useFocusOnPage() {
  const path = useRouterState({ select: (state) => state.location.pathname })
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is the reason to look for the new page's heading
  useEffect(() => {
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
  }, [path])
}

function LiveDot() {
  const live = useLive()
  const isLive = live.is === 'live'
  const label = isLive ? 'Live' : live.is === 'connecting' ? 'Connecting' : 'Not live'
  return (
    <div className={classes.live} role="status" aria-label={label} title={label}>
      <i className={classes.dot} data-off={isLive ? undefined : true} />
      <span>{label}</span>
    </div>
  )
}

function Disconnected() {
  const live = useLive()
  return live.is === 'disconnected' ? <DisconnectedBanner since={live.since} /> : null
}

function DisconnectedBanner({ since }: { since: number }) {
  useNow()
  const now = Date.now()
  return (
    <div className={classes.banner} role="alert">
      <strong>Not connected since {momentText(since, now, true)}</strong> ({spanText(now - since)}). What you see may be
      old. Claims and completions cannot be sent until the connection is back; it is tried again by itself.
    </div>
  )
}

function PersonMenu({ me, onKeys }: { me: Me; onKeys: () => void }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const client = useQueryClient()
  const navigate = useNavigate()
  const signOut = async () => {
    let elsewhere: string | null = null
    try {
      elsewhere = await signOutNow()
    } catch (error) {
      // Whoever walks away from a page that looks signed out leaves their session to the next one at this desk.
      return tellDone({ words: `You are still signed in. ${(error as Error).message}` })
    }
    dismissUndo()
    client.clear()
    if (elsewhere !== null) return location.assign(elsewhere)
    await navigate({ to: '/sign-in' })
  }
  const schemes = { auto: 'As the system', light: 'Light', dark: 'Dark' } as const
  return (
    <Menu position="bottom-end" width={240} keepMounted={false}>
      <Menu.Target>
        <Button variant="subtle" color="gray" c="var(--mantine-color-text)" px="xs" mih={44}>
          <span className={classes.name}>{me.displayName}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {me.roles.join(', ')} · {me.tenant.name}
        </Menu.Label>
        {(['auto', 'light', 'dark'] as const).map((scheme) => (
          <Menu.Item key={scheme} onClick={() => setColorScheme(scheme)} aria-current={scheme === colorScheme}>
            {schemes[scheme]}
            {scheme === colorScheme ? ' ✓' : ''}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => void navigate({ to: '/account' })}>Your account</Menu.Item>
        <Menu.Item onClick={onKeys}>Keyboard keys</Menu.Item>
        <Menu.Item onClick={() => void lockNow().catch(() => showLocked())}>Lock the screen</Menu.Item>
        <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
