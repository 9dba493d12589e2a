/** Who works here, by name: ids of staff stand in enrolments, people read names. */
import { useQuery } from '@tanstack/react-query'
import { careQueries } from '../api/care-queries.ts'
import { useMe } from '../app/session.tsx'

/** @returns the name of a user id; `you` for oneself */
export function useStaffName(): (id: string) => string {
  const me = useMe()
  const { data, isPending } = useQuery(careQueries.colleagues)
  return (id) => {
    if (id === me.id) return 'you'
    const name = data?.items.find((each) => each.id === id)?.displayName
    return name ?? (isPending ? '…' : 'somebody who no longer works here')
  }
}
