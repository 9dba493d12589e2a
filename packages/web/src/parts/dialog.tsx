/** A dialog of a page: whole screen on phones, one title, closed by Escape or the cross. */
import { Modal } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import type { ReactNode } from 'react'

interface DialogProps {
  readonly title: string
  readonly opened: boolean
  readonly onClose: () => void
  readonly size?: 'md' | 'lg' | 'xl'
  readonly children: ReactNode
}

export function Dialog({ title, opened, onClose, size = 'md', children }: DialogProps) {
  const isNarrow = useMediaQuery('(max-width: 40em)', false, { getInitialValueInEffect: false })
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size={size}
      fullScreen={isNarrow}
      closeButtonProps={{ 'aria-label': 'Close without saving', size: 'lg' }}
    >
      {children}
    </Modal>
  )
}
