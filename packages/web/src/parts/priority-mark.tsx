/** IEC 60601-1-8 priority as shape and colour: filled triangle, half triangle, line; technical alerts a blue-grey square. */
import type { Priority, WorklistRow } from '@careloop/contract'

interface Marked {
  readonly priority: Priority
  readonly nature: WorklistRow['nature']
}

export const priorityWords = ({ priority, nature }: Marked): string =>
  nature === 'technical'
    ? `Technical, ${priority} priority`
    : `${priority[0]!.toUpperCase()}${priority.slice(1)} priority`

export function PriorityMark({ priority, nature, size = 20 }: Marked & { size?: number }) {
  const words = priorityWords({ priority, nature })
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" role="img" aria-label={words}>
      <title>{words}</title>
      {nature === 'technical' ? <Technical priority={priority} /> : shapes[priority]}
    </svg>
  )
}

const triangle = 'M10 2 L18.5 17.5 L1.5 17.5 Z'
const shapes: Readonly<Record<Priority, React.ReactNode>> = {
  high: <path d={triangle} fill="var(--high)" stroke="var(--high)" strokeWidth="1.5" strokeLinejoin="round" />,
  medium: (
    <>
      <path d="M10 2 L10 17.5 L1.5 17.5 Z" fill="var(--medium)" />
      <path d={triangle} fill="none" stroke="var(--medium-edge)" strokeWidth="1.5" strokeLinejoin="round" />
    </>
  ),
  low: <path d="M2 10 H18" stroke="var(--low-edge)" strokeWidth="4" strokeLinecap="round" />,
}

/** More bars, more urgent: the shape says it without the colour. */
function Technical({ priority }: { priority: Priority }) {
  const bars = { high: 3, medium: 2, low: 1 }[priority]
  return (
    <>
      <rect x="2" y="2" width="16" height="16" rx="2" fill="none" stroke="var(--technical)" strokeWidth="2" />
      {[0, 1, 2].slice(0, bars).map((bar) => (
        <path key={bar} d={`M6 ${14 - bar * 4} H14`} stroke="var(--technical)" strokeWidth="2" />
      ))}
    </>
  )
}
