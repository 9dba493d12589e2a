/** Opens one resource as it is. */

import { Button } from '@mantine/core'
import type { Resource } from '@medplum/fhirtypes'
import type { Show } from './resource-dialog.tsx'

export const AsFhirButton = ({ resource, what, show }: { resource: Resource; what: string; show: Show }) => (
  <Button variant="subtle" size="xs" mih={44} aria-label={`${what} as FHIR`} onClick={() => show(resource)}>
    FHIR
  </Button>
)
