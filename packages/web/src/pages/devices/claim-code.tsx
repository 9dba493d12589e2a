/** A one-time code by which a device fetches its own credential: for a new device, one that was reset, one whose certificate ran out. */
import type { ClaimCodeMade, ClaimCodeView, DeviceView } from '@careloop/contract'
import { Button, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { careQueries } from '../../api/care-queries.ts'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Failed, Loading } from '../../parts/page-state.tsx'
import { Refusal } from '../../parts/refusal.tsx'
import rows from '../../parts/rows.module.css'
import { Section } from '../../parts/section.tsx'
import { useWhyNot } from '../../parts/why-not.ts'
import { momentText } from '../../parts/words.ts'
import classes from './devices.module.css'

/** The newest ones tell the story; what is older stands in the trail. */
const shownCodes = 3

export function ClaimCodePart({ device }: { device: DeviceView }) {
  const mayRead = useMay('read', 'credential')
  const whyNot = useWhyNot('create', 'credential')
  const client = useQueryClient()
  const list = useQuery({ ...careQueries.claimCodes(device.id), enabled: mayRead })
  const [made, setMade] = useState<ClaimCodeMade | undefined>(undefined)
  const again = () => client.invalidateQueries({ queryKey: ['devices', 'claim-codes', device.id] })
  const make = useMutation({
    mutationFn: () => call(endpoints.newClaimCode, { params: { id: device.id }, body: {} }),
    onSuccess: setMade,
    onSettled: again,
  })
  const end = useMutation({
    mutationFn: (claim: string) => call(endpoints.voidClaimCode, { params: { id: device.id, claim } }),
    onSuccess: () => setMade(undefined),
    onSettled: again,
  })
  if (!mayRead) return null
  return (
    <Section title="Claim code">
      <Text>
        The device fetches its own token or certificate with it, once. Use it for a new device, one that was reset, or
        one whose certificate ran out: when the code is used, every credential that the device had ends.
      </Text>
      <div className={classes.acts}>
        <Button
          variant="default"
          mih={44}
          loading={make.isPending}
          disabled={whyNot !== null}
          title={whyNot ?? undefined}
          onClick={() => make.mutate()}
        >
          Make a claim code
        </Button>
      </div>
      {whyNot === null ? null : <Text c="dimmed">{whyNot}</Text>}
      <Refusal error={make.error ?? end.error} />
      {made === undefined ? null : <Code made={made} />}
      {list.isPending ? <Loading rows={1} /> : null}
      {list.data === undefined && list.isError ? (
        <Failed what="The claim codes could not be read" error={list.error} onRetry={() => void list.refetch()} />
      ) : null}
      <ul className={rows.rows} hidden={list.data === undefined || list.data.items.length === 0}>
        {list.data?.items.slice(0, shownCodes).map((each) => (
          <CodeRow key={each.id} each={each} onVoid={whyNot === null ? () => end.mutate(each.id) : undefined} />
        ))}
      </ul>
    </Section>
  )
}

function Code({ made }: { made: ClaimCodeMade }) {
  const now = useNow()
  return (
    <div className={classes.secret} role="status">
      <Text fw={600}>The code is shown this once.</Text>
      <code className={classes.value}>{made.code}</code>
      <Text>
        Good until {momentText(made.expiresAt, now)}. The device sends it to <code>/api/v1/devices/claim</code>.
      </Text>
      <div>
        <CopyButton text={made.code} what="the claim code" />
      </div>
    </div>
  )
}

function CodeRow({ each, onVoid }: { each: ClaimCodeView; onVoid: (() => void) | undefined }) {
  const now = useNow()
  const isOpen = each.usedAt === null && each.revokedAt === null && each.expiresAt > now
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        {stateOf(each, now)}
        <div className={rows.soft}>made {momentText(each.createdAt, now)}</div>
      </div>
      {isOpen && onVoid !== undefined ? (
        <Button
          variant="subtle"
          mih={44}
          onClick={onVoid}
          aria-label={`Void the code made ${momentText(each.createdAt, now)}`}
        >
          Void
        </Button>
      ) : null}
    </li>
  )
}

function stateOf({ usedAt, revokedAt, expiresAt }: ClaimCodeView, now: number): string {
  if (usedAt !== null) return `Used ${momentText(usedAt, now)}`
  if (revokedAt !== null) return `Void since ${momentText(revokedAt, now)}`
  return expiresAt > now
    ? `Waits for the device until ${momentText(expiresAt, now)}`
    : `Ran out ${momentText(expiresAt, now)}`
}
