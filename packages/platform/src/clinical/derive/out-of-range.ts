/** Whether what was derived lies outside of the usual, and the fact that tells of it. */
import type { TenantTx } from '../../engine/index.ts'
import type { Clinical, Derived } from '../clinical.ts'

/** One fact for each resource whose value, or a component's, is low, high, or beyond what the device can tell. */
export async function tellOutOfRange(
  clinical: Pick<Clinical, 'ridOf'>,
  tx: TenantTx,
  derived: readonly Derived[],
): Promise<void> {
  await Promise.all(
    derived.map(async ({ resource, subject }) => {
      if (subject === null || !isOutOfRange(resource)) return
      const rid = await clinical.ridOf(tx.tenant, resource.resourceType, resource.id!)
      await tx.publish({ type: 'ReadingOutOfRange', resource: rid, subject })
    }),
  )
}

export function isOutOfRange(resource: object): boolean {
  const { interpretation = [], component = [] } = resource as Judged
  return (
    interpretation.some(({ coding = [] }) => coding.some(({ code }) => code !== undefined && abnormal.has(code))) ||
    component.some(isOutOfRange)
  )
}

const abnormal: ReadonlySet<string> = new Set(['L', 'H', '<', '>'])

interface Judged {
  readonly interpretation?: readonly { readonly coding?: readonly { readonly code?: string }[] }[]
  readonly component?: readonly object[]
}
