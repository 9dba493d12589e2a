/** Chooses among the views of one page; the first is the page's own and stands in no URL. */
import { SegmentedControl } from '@mantine/core'

interface ViewChoiceProps<View extends string> {
  readonly views: readonly View[]
  readonly labels: Readonly<Record<View, string>>
  readonly value: View
  /** `undefined`: the first. */
  readonly onChange: (view: View | undefined) => void
}

export const ViewChoice = <View extends string>({ views, labels, value, onChange }: ViewChoiceProps<View>) => (
  <SegmentedControl
    aria-label="What is shown"
    // Four words beside each other on the smallest phone.
    styles={{ label: { paddingInline: 'clamp(0.2rem, 1vw, 0.6rem)' } }}
    maw="100%"
    value={value}
    onChange={(chosen) => onChange(chosen === views[0] ? undefined : chosen)}
    data={views.map((view) => ({ value: view, label: labels[view] }))}
  />
)
