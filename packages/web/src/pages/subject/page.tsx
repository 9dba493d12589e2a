/** One subject: what is known now, how it went, what is open about it, who answers, what it wears. */
import type { SubjectAlerts, SubjectRules, SubjectView } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { Link, useParams, useSearch } from '@tanstack/react-router'
import { careQueries } from '../../api/care-queries.ts'
import { queries } from '../../api/queries.ts'
import { useMay } from '../../app/session.tsx'
import { ActivityTimer } from '../../parts/activity/activity-timer.tsx'
import { Page, useTitle } from '../../parts/page.tsx'
import { Empty, Failed, Loading, NotRenewed, WithRight } from '../../parts/page-state.tsx'
import { OpenApps } from '../apps/open-apps.tsx'
import { EmergencyBanner } from '../break-glass/emergency-banner.tsx'
import { ConsentsPanel } from '../consent/consents-panel.tsx'
import { EnrolmentsPanel } from '../enrolment/enrolments-panel.tsx'
import { AccountsPanel } from './accounts-panel.tsx'
import { AlertsPanel } from './alerts-panel.tsx'
import { Course, usualHours } from './course.tsx'
import { RecordPanel } from './record-panel.tsx'
import { RulesPanel } from './rules-panel.tsx'
import { type ShownSignal, shownSignals } from './shown-signals.ts'
import classes from './subject.module.css'
import { Values } from './values.tsx'
import { WornPanel } from './worn-panel.tsx'

const empty = (
  <Empty title="No readings yet">
    Readings appear here when a device that this subject wears has sent some. Put one on under Devices, and look there
    whether it is connected.
  </Empty>
)

export interface SubjectSearch {
  /** Hours back from now that the chart shows. */
  readonly hours?: number
  /** Zoomed to, ms; both or none. */
  readonly from?: number
  readonly to?: number
  readonly signal?: string
  /** The dialog that is open, e.g. `enrol`, `limit:<rule>`. */
  readonly panel?: string
}

export const loadSubject = (client: QueryClient, id: string): void => {
  void client.prefetchQuery(queries.subject(id))
  void client.prefetchQuery(queries.latest(id))
}

export function SubjectPage() {
  useTitle('Subject')
  return (
    <WithRight resource="subject" what="Subject">
      <Subject />
    </WithRight>
  )
}

const kindWords = { patient: 'Patient', asset: 'Thing', location: 'Place' } as const

function Subject() {
  const { id } = useParams({ from: '/staff/subjects/$id' })
  const subject = useQuery(queries.subject(id))
  if (subject.isPending) return <Loading />
  if (subject.data === undefined)
    return (
      <Failed what="This subject could not be read" error={subject.error!} onRetry={() => void subject.refetch()} />
    )
  const { display, birthDate, kind, timeZone } = subject.data
  return (
    <Page
      title={display}
      beside={
        <>
          <Text c="dimmed">
            {kindWords[kind]}
            {birthDate === undefined ? '' : `, born ${birthDate}`}, {timeZone}
          </Text>
          {kind === 'patient' ? <OpenApps subject={id} /> : null}
          {kind === 'patient' ? (
            <Button component={Link} to={`/subjects/${id}/record`} variant="default" mih={44}>
              Record
            </Button>
          ) : null}
        </>
      }
    >
      {kind === 'patient' ? <EmergencyBanner subject={id} /> : null}
      <ActivityTimer key={`timer-${id}`} subject={{ id, kind }} source="subject-page" />
      <Parts key={id} subject={subject.data} />
    </Page>
  )
}

/** For whom it is open; to others it is not there. */
const AccountsPart = ({ subject }: { subject: string }) =>
  useMay('read', 'person-account') ? <AccountsPanel subject={subject} /> : null

const ConsentsPart = ({ subject }: { subject: string }) =>
  useMay('read', 'consent') ? <ConsentsPanel subject={subject} /> : null

const noAlerts: SubjectAlerts['items'] = []
const noRules: SubjectRules['rules'] = []

/** Alerts are read as far back as the chart goes, and at least for a week. */
function Parts({ subject: { id, kind, timeZone } }: { subject: SubjectView }) {
  const { hours = usualHours } = useSearch({ from: '/staff/subjects/$id' })
  const back = Math.max(hours, 168)
  const alerts = useQuery({ ...careQueries.alerts(id, back), enabled: useMay('read', 'alert') })
  const rules = useQuery({ ...careQueries.rules(id), enabled: useMay('read', 'override') })
  return (
    <div className={classes.parts}>
      <div className={classes.main}>
        <Readings subject={id} alerts={alerts.data?.items ?? noAlerts} rules={rules.data?.rules ?? noRules} />
      </div>
      <div className={classes.side}>
        {alerts.data === undefined && alerts.isError ? (
          <Failed what="The alerts could not be read" error={alerts.error} onRetry={() => void alerts.refetch()} />
        ) : null}
        {alerts.data === undefined ? null : (
          <AlertsPanel alerts={alerts.data.items} span={`last ${Math.round(back / 24)} days`} />
        )}
        <EnrolmentsPanel subject={id} kind={kind} />
        {rules.data === undefined && rules.isError ? (
          <Failed what="The limits could not be read" error={rules.error} onRetry={() => void rules.refetch()} />
        ) : null}
        {rules.data === undefined ? null : <RulesPanel subject={id} rules={rules.data.rules} />}
        <WornPanel subject={id} />
        {kind === 'patient' ? <AccountsPart subject={id} /> : null}
        {kind === 'patient' ? <ConsentsPart subject={id} /> : null}
        <RecordPanel subject={id} kind={kind} timeZone={timeZone} />
      </div>
    </div>
  )
}

/** Without a choice the chart shows what an open alert is about. */
const alarming = (signals: readonly ShownSignal[], alerts: SubjectAlerts['items']): ShownSignal | undefined =>
  signals.find(({ codes }) =>
    alerts.some(({ handling, signals }) => handling !== 'closed' && signals.some((each) => codes.includes(each))),
  )

/** Else what it is watched for: of who is enrolled for their blood pressure not the pulse that their cuff tells besides. */
const watched = (signals: readonly ShownSignal[], rules: SubjectRules['rules']): ShownSignal | undefined =>
  signals.find(({ codes }) => rules.some((rule) => rule.signals.some((each) => codes.includes(each))))

interface ReadingsProps {
  readonly subject: string
  readonly alerts: SubjectAlerts['items']
  readonly rules: SubjectRules['rules']
}

function Readings({ subject, alerts, rules }: ReadingsProps) {
  const mayRead = useMay('read', 'series')
  const latest = useQuery({ ...queries.latest(subject), enabled: mayRead })
  const { signal: asked } = useSearch({ from: '/staff/subjects/$id' })
  if (!mayRead) return <Text>Your role does not include readings. An administrator can change that.</Text>
  if (latest.isPending) return <Loading rows={3} />
  if (latest.data === undefined)
    return <Failed what="The readings could not be read" error={latest.error!} onRetry={() => void latest.refetch()} />
  const signals = shownSignals(latest.data.signals)
  if (signals.length === 0) return empty
  const chosen =
    signals.find((each) => each.code === asked) ?? alarming(signals, alerts) ?? watched(signals, rules) ?? signals[0]!
  return (
    <>
      {latest.isRefetchError ? (
        <NotRenewed error={latest.error} readAt={latest.dataUpdatedAt} onRetry={() => void latest.refetch()} />
      ) : null}
      <Values signals={signals} chosen={chosen.code} askedAt={latest.data.askedAt} alerts={alerts} />
      <Course
        key={chosen.code}
        {...{ subject, rules, alerts }}
        shown={chosen}
        hasDoor={signals.some(({ code }) => code === 'door-open')}
      />
    </>
  )
}
