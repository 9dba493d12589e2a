/** Before a grave act: show again that it is you, by a passkey or a code. What waited goes on by itself; cancelling changes nothing. */
import { Button, Modal, Text, TextInput } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, type KeyboardEvent, useEffect, useState, useSyncExternalStore } from 'react'
import { accountQueries } from '../api/account-queries.ts'
import { call, proveBy } from '../api/client.ts'
import { endpoints } from '../api/endpoints.ts'
import { canUsePasskeys, showPasskey } from '../api/passkey.ts'
import classes from '../pages/account/account.module.css'
import { Failed, Loading } from '../parts/page-state.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { onWaiting, proveAgain, type Waiting, waitingNow } from './step-up-store.ts'

/** It often stands over another dialog, which Escape must not close too. */
const escapeIsOurs = { 'data-mantine-stop-propagation': 'true' }

export function StepUpDialog() {
  const waiting = useSyncExternalStore(onWaiting, waitingNow)
  const isNarrow = useMediaQuery('(max-width: 40em)', false, { getInitialValueInEffect: false })
  useEffect(() => {
    const stop = proveBy(proveAgain)
    return () => {
      stop()
      waitingNow()?.settle(false)
    }
  }, [])
  const cancel = () => waiting?.settle(false)
  const byKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape') cancel()
  }
  return (
    <Modal
      opened={waiting !== null}
      onClose={cancel}
      title={waiting?.is === 'set-up' ? 'A second factor is needed' : 'Show that it is you'}
      fullScreen={isNarrow}
      zIndex={300}
      onKeyDown={byKey}
      closeButtonProps={{ 'aria-label': 'Cancel', size: 'lg', ...escapeIsOurs }}
    >
      {waiting === null ? null : waiting.is === 'set-up' ? (
        <WithoutFactor waiting={waiting} />
      ) : (
        <Prove waiting={waiting} />
      )}
    </Modal>
  )
}

/** Who has nothing here may have something at their organisation's sign-in. */
function WithoutFactor({ waiting }: { waiting: Waiting }) {
  const { data, error } = useQuery({ ...accountQueries.secondFactor, staleTime: 0 })
  if (data === undefined && error === null) return <Loading rows={2} />
  const name = data?.atProvider ?? null
  return name === null ? <SetUpFirst waiting={waiting} /> : <ProveAtProvider waiting={waiting} name={name} />
}

function ProveAtProvider({ waiting, name }: { waiting: Waiting; name: string }) {
  // Asked before the link is shown: browsers open a tab for who follows a link, and often not for a page that waited for an answer.
  const walk = useQuery({
    queryKey: ['step-up-at-provider'],
    queryFn: () => call(endpoints.stepUpAtProvider, {}),
    ...{ retry: false, staleTime: Number.POSITIVE_INFINITY, gcTime: 0, refetchOnWindowFocus: false },
  })
  // A walk is good once.
  const [isUnderWay, setUnderWay] = useState(false)
  const again = () => {
    setUnderWay(false)
    void walk.refetch()
  }
  if (walk.data === undefined && walk.error !== null)
    return <Failed what={`The way to ${name} could not be found`} error={walk.error} onRetry={again} />
  if (walk.data === undefined || walk.isFetching) return <Loading rows={2} />
  return (
    <div className={classes.stack}>
      <Text>
        This changes what protects patients, so it is asked once more. Show at {name}, in a new tab, that it is you;
        then come back to this one and go on. It counts for five minutes.
      </Text>
      {isUnderWay ? (
        <>
          <Button mih={44} onClick={() => waiting.settle(true)} {...escapeIsOurs}>
            I have shown it: go on
          </Button>
          <Button variant="default" mih={44} onClick={again} {...escapeIsOurs}>
            Begin again
          </Button>
        </>
      ) : (
        <Button
          component="a"
          href={walk.data.url}
          target="_blank"
          rel="noopener noreferrer"
          mih={44}
          onClick={() => setUnderWay(true)}
          data-autofocus
          {...escapeIsOurs}
        >
          Show it at {name}
        </Button>
      )}
      <Text c="dimmed">
        Or set up a passkey or an authenticator app of Careloop’s own on your account page, and do it again.
      </Text>
    </div>
  )
}

function SetUpFirst({ waiting }: { waiting: Waiting }) {
  const navigate = useNavigate()
  const go = () => {
    waiting.settle(false)
    void navigate({ to: '/account' })
  }
  return (
    <div className={classes.stack}>
      <Text>
        What you want to do changes what protects patients. It wants a passkey or an authenticator app beside your
        password, and you have none here yet. Set one up, it takes a minute; then do it again.
      </Text>
      <Button mih={44} onClick={go} data-autofocus {...escapeIsOurs}>
        Go to your account
      </Button>
      <Button variant="default" mih={44} onClick={() => waiting.settle(false)} {...escapeIsOurs}>
        Not now
      </Button>
    </div>
  )
}

function Prove({ waiting }: { waiting: Waiting }) {
  const { data, error, refetch } = useQuery({ ...accountQueries.secondFactor, staleTime: 0 })
  const byPasskey = useMutation({
    async mutationFn() {
      const { options } = await call(endpoints.askPasskey, {})
      await call(endpoints.stepUp, { body: { passkey: await showPasskey(options) } })
    },
    onSuccess: () => waiting.settle(true),
  })
  const byCode = useMutation({
    mutationFn: (code: string) => call(endpoints.stepUp, { body: { code } }),
    onSuccess: () => waiting.settle(true),
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    // A dialog beneath is a form of its own in React's tree.
    event.stopPropagation()
    byCode.mutate(String(new FormData(event.currentTarget).get('code')))
  }
  if (error !== null && data === undefined)
    return <Failed what="Your second factor could not be read" error={error} onRetry={() => void refetch()} />
  if (data === undefined) return <Loading rows={2} />
  const hasPasskey = data.passkeys > 0 && canUsePasskeys()
  return (
    <div className={classes.stack}>
      <Text>This changes what protects patients, so it is asked once more. It then counts for five minutes.</Text>
      {hasPasskey ? (
        <Button
          mih={44}
          loading={byPasskey.isPending}
          onClick={() => byPasskey.mutate()}
          data-autofocus
          {...escapeIsOurs}
        >
          Use a passkey
        </Button>
      ) : null}
      <Refusal error={byPasskey.error} />
      {data.hasApp || data.backupCodesLeft > 0 ? (
        <form onSubmit={submit}>
          <TextInput
            label={data.hasApp ? 'Code of your authenticator app, or a backup code' : 'Backup code'}
            name="code"
            autoComplete="one-time-code"
            required
            minLength={6}
            size="md"
            data-autofocus={hasPasskey ? undefined : true}
            {...escapeIsOurs}
          />
          <Refusal error={byCode.error} />
          <Button
            type="submit"
            variant={hasPasskey ? 'default' : 'filled'}
            fullWidth
            mt="md"
            mih={44}
            loading={byCode.isPending}
            {...escapeIsOurs}
          >
            Go on
          </Button>
        </form>
      ) : null}
    </div>
  )
}
