/** What a patient or caregiver sees: themselves, their newest readings. No page of staff is reached from here. */
import { Button, Text, Title } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useSyncExternalStore } from 'react'
import { accessQueries } from '../../api/access-queries.ts'
import { queries } from '../../api/queries.ts'
import { ageSince, useNow } from '../../app/clock.ts'
import { lockState, onLockState, signOutNow, watchForHumans } from '../../app/idle.ts'
import { useMe } from '../../app/session.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading } from '../../parts/page-state.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { spanText } from '../../parts/words.ts'
import { OwnConsents } from '../consent/own-consents.tsx'
import { LockScreen } from '../lock-screen.tsx'
import { type ShownSignal, shownSignals, stateAfter } from '../subject/shown-signals.ts'
import classes from './person.module.css'

export function PersonPage() {
  const state = useSyncExternalStore(onLockState, lockState)
  if (state === 'locked') return <LockScreen />
  return <Signed />
}

function Signed() {
  useTitle('Today')
  const me = useMe()
  const own = useQuery(accessQueries.ownPerson)
  const { idleLockMs } = me
  useEffect(() => watchForHumans(idleLockMs ?? Number.POSITIVE_INFINITY), [idleLockMs])
  return (
    <>
      <header className={classes.bar}>
        <span className={classes.brand}>
          <img src="/icon.svg" alt="" />
          Careloop · {me.tenant.name}
        </span>
        <SignOut />
      </header>
      <main className={classes.main}>
        {own.isPending ? <Loading /> : null}
        {own.error !== null && own.data === undefined ? (
          <Failed what="Your page could not be read" error={own.error} onRetry={() => void own.refetch()} />
        ) : null}
        {own.data?.kind === 'caregiver' ? <Caregiver name={own.data.name ?? ''} /> : null}
        {own.data?.subject == null ? null : <Patient subject={own.data.subject} />}
      </main>
    </>
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

function Caregiver({ name }: { name: string }) {
  return (
    <Page title={name}>
      <Empty title="Nothing is shared with you yet">
        What you may see is decided by the patient whom you care for. Their clinic writes it down as a consent; then it
        appears here.
      </Empty>
    </Page>
  )
}

function Patient({ subject }: { subject: string }) {
  const found = useQuery(queries.subject(subject))
  if (found.isPending) return <Loading />
  if (found.data === undefined)
    return <Failed what="Your record could not be read" error={found.error!} onRetry={() => void found.refetch()} />
  return (
    <Page title={found.data.display}>
      <Readings subject={subject} />
      <OwnConsents subject={subject} />
    </Page>
  )
}

function Readings({ subject }: { subject: string }) {
  const latest = useQuery(queries.latest(subject))
  useNow()
  if (latest.isPending) return <Loading />
  if (latest.data === undefined)
    return <Failed what="Your readings could not be read" error={latest.error!} onRetry={() => void latest.refetch()} />
  const shown = shownSignals(latest.data.signals).filter(({ kind }) => kind !== 'device')
  if (shown.length === 0)
    return <Empty title="No readings yet">They appear here when a device of yours has sent some.</Empty>
  const passed = ageSince(latest.data.askedAt)
  return (
    <Section title="Your newest readings">
      <ul className={rows.rows} aria-label="Your newest readings">
        {shown.map((each) => (
          <Reading key={each.series} shown={each} passed={passed} />
        ))}
      </ul>
      <Text c="dimmed" mt="sm" size="sm">
        Careloop does not watch over you all the time. If you feel unwell, call your clinic or the emergency number.
      </Text>
    </Section>
  )
}

function Reading({ shown, passed }: { shown: ShownSignal; passed: number }) {
  const { label, text, unit, ageMs, isTimeKnown } = shown
  const isOld = stateAfter(shown, passed) !== 'fresh'
  return (
    <li className={rows.row} data-old={isOld || undefined}>
      <div className={rows.what}>
        {label}
        <div className={rows.soft}>
          {isTimeKnown ? `${spanText(ageMs + passed)} ago` : 'time not known'}
          {isOld ? ' · not current' : ''}
        </div>
      </div>
      <Title order={3} component="strong" {...(isOld ? { c: 'dimmed' } : {})}>
        {text} <small>{unit}</small>
      </Title>
    </li>
  )
}
