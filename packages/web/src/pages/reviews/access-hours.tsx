/** How long emergency access stands: an administrator decides, within bounds. */
import type { BreakGlassSetting } from '@careloop/contract'
import { NativeSelect } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { officeQueries } from '../../api/office-queries.ts'
import { Refusal } from '../../parts/refusal.tsx'
import { Section } from '../../parts/section.tsx'
import { useOffline } from '../../parts/why-not.ts'
import { countText } from '../../parts/words.ts'

const choices = Array.from({ length: 12 }, (_, i) => ({ value: String(i + 1), label: countText(i + 1, 'hour') }))

export function AccessHours() {
  const client = useQueryClient()
  const setting = useQuery(officeQueries.breakGlassSetting)
  const why = useOffline()
  const set = useMutation({
    mutationFn: (body: BreakGlassSetting) => call(endpoints.setBreakGlass, { body }),
    onSettled: () => client.invalidateQueries({ queryKey: officeQueries.breakGlassSetting.queryKey }),
  })
  if (setting.data === undefined) return null
  const { hours, version } = setting.data
  return (
    <Section title="Emergency access">
      <NativeSelect
        label="How long it stands"
        description={why ?? 'What stands already keeps its end.'}
        value={String(set.isPending ? set.variables.hours : hours)}
        disabled={why !== null}
        data={choices}
        size="md"
        maw={320}
        onChange={(event) => set.mutate({ hours: Number(event.currentTarget.value), version })}
      />
      <Refusal error={set.error} />
    </Section>
  )
}
