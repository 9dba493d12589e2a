/** Copies a text, and says so. Where the browser forbids it (a page without TLS), it says what to do instead. */
import { Button } from '@mantine/core'
import { useState } from 'react'

interface CopyButtonProps {
  readonly text: string
  readonly what: string
  /** Where several stand beside each other, what it copies is said. */
  readonly label?: string
}

export function CopyButton({ text, what, label = 'Copy' }: CopyButtonProps) {
  const [said, setSaid] = useState('')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid('Copied')
    } catch {
      setSaid('Select it and copy by hand')
    }
  }
  return (
    <>
      <Button
        variant="default"
        size="xs"
        mih={32}
        onClick={() => void copy()}
        aria-label={label === 'Copy' ? `Copy ${what}` : label}
      >
        {label}
      </Button>{' '}
      <span role="status">{said}</span>
    </>
  )
}
