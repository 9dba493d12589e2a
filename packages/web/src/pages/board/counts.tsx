/** How many units are how, in one line. */
import type { BoardUnit } from '@careloop/contract'
import { Text } from '@mantine/core'
import { useNow } from '../../app/clock.ts'
import { countText } from '../../parts/words.ts'
import { statusOf } from './status.ts'

export function Counts({ units }: { units: readonly BoardUnit[] }) {
  const now = useNow()
  const of = (...wanted: string[]) => units.filter((unit) => wanted.includes(statusOf(unit, now))).length
  const words = [
    [of('out'), 'out of range'],
    [of('alert'), 'in range with an alert'],
    [of('unknown'), 'not known'],
    [of('open'), 'in range, still open'],
    [of('good'), 'in range'],
  ] as const
  return (
    <Text role="status" c="dimmed">
      {countText(units.length, 'unit')}:{' '}
      {words
        .filter(([count]) => count > 0)
        .map(([count, what]) => `${count} ${what}`)
        .join(', ')}
    </Text>
  )
}
