/** One resource as FHIR has it: for whoever must know exactly what another system reads. */

import { Group, Text } from '@mantine/core'
import type { Resource } from '@medplum/fhirtypes'
import { CodeText } from '../../parts/code-text.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Dialog } from '../../parts/dialog.tsx'

export type Show = (resource: Resource) => void

export function ResourceDialog({ resource, onClose }: { resource: Resource; onClose: () => void }) {
  const text = JSON.stringify(resource, null, 2)
  return (
    <Dialog opened title={resource.resourceType} size="xl" onClose={onClose}>
      <Group justify="space-between" mb="xs">
        <Text c="dimmed">
          Version {resource.meta?.versionId ?? '1'}
          {resource.meta?.lastUpdated === undefined ? '' : `, last updated ${resource.meta.lastUpdated}`}
        </Text>
        <CopyButton text={text} what="this resource" />
      </Group>
      <CodeText text={text} />
    </Dialog>
  )
}
