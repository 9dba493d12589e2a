/** Copies a text, and says so. Where the browser forbids it (a page without TLS), it says what to do instead. */
import { Button } from '@mantine/core'
import { useState } from 'react'

export function CopyButton({ text, what }: { text: string; what: string }) {
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
      <Button variant="default" size="xs" mih={32} onClick={() => void copy()} aria-label={`Copy ${what}`}>
        Copy
      </Button>{' '}
      <span role="status">{said}</span>
    </>
  )
}
