/** Who was told of a task: when, how, how often and why again. */
import type { NotificationBody } from '@careloop/contract'
import { Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { queries } from '../../api/queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay } from '../../app/session.tsx'
import { countText, momentText } from '../../parts/words.ts'
import { toldWords } from './told-words.ts'
import classes from './worklist.module.css'

export function Told({ task }: { task: string }) {
  const mayRead = useMay('read', 'notification')
  const told = useQuery({ ...queries.taskNotifications(task), enabled: mayRead })
  if (!mayRead || told.isPending) return null
  return (
    <section className={classes.section} aria-labelledby="told">
      <Title order={3} id="told">
        Who was told
      </Title>
      {told.data === undefined ? (
        <Text role="alert">That could not be read. {told.error?.message}</Text>
      ) : told.data.items.length === 0 ? (
        <Text c="dimmed">Nobody yet.</Text>
      ) : (
        <Notifications items={told.data.items} />
      )}
    </section>
  )
}

function Notifications({ items }: { items: readonly NotificationBody[] }) {
  const now = useNow()
  const oldestFirst = items.toSorted((a, b) => a.at - b.at)
  return (
    <>
      <ol className={classes.story}>
        {oldestFirst.map((item) => (
          <li key={item.id}>
            <Text component="span" c="dimmed" className="nowrap">
              {momentText(item.at, now, true)}
            </Text>{' '}
            {toldWords(item, now)}
          </li>
        ))}
      </ol>
      <Text c="dimmed" mt={4}>
        {countText(items.filter(({ deliveredAt }) => deliveredAt !== undefined).length, 'message')} delivered.
      </Text>
    </>
  )
}
