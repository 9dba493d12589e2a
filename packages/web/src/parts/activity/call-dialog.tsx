/** A call that was made beside the page, written down afterwards: with whom, how, when, how long. */
import type { ContactMode } from '@careloop/contract'
import { Button, Group, Modal, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { serverNow } from '../../app/clock.ts'
import { tellDone } from '../undo/undo-store.ts'
import { countText } from '../words.ts'
import { beginOf, timeText } from './call-time.ts'
import { newId } from './new-id.ts'
import { type About, bodyOf } from './run-meter.ts'
import { contactWords } from './words.ts'

const minuteMs = 60_000
const modes = ['live-phone', 'live-video', 'in-person', 'voicemail', 'message'] as const

export function CallDialog({ about, onClose }: { about: About; onClose: () => void }) {
  const [whom, setWhom] = useState<'patient-contact' | 'caregiver-contact'>('patient-contact')
  const [contact, setContact] = useState<ContactMode>('live-phone')
  const [minutes, setMinutes] = useState('5')
  const [began, setBegan] = useState(() => timeText(serverNow() - 5 * minuteMs))
  const [note, setNote] = useState('')
  // Made once: sending it again after a lost answer records nothing twice.
  const [id] = useState(newId)
  const client = useQueryClient()
  const length = Math.min(480, Math.round(Number(minutes)) || 0)
  const from = beginOf(began, serverNow())
  const wrong = wrongOf(from, length)
  const save = useMutation({
    mutationFn: () => {
      const body = { from: from!, to: from! + length * minuteMs, ended: true, kind: whom, contact }
      return call(endpoints.putActivity, {
        params: { id },
        body: bodyOf({ ...about, source: 'entered' }, body, note.trim()),
      })
    },
    async onSuccess() {
      tellDone({ words: `Call of ${countText(length, 'minute')} recorded.` })
      onClose()
      await client.invalidateQueries({ queryKey: ['activities'] })
    },
  })
  return (
    <Modal opened onClose={onClose} title="Log a call" closeButtonProps={{ 'aria-label': 'Close without logging' }}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          if (wrong === null) save.mutate()
        }}
      >
        <NativeSelect
          label="With"
          data-autofocus
          value={whom}
          onChange={(event) => setWhom(event.currentTarget.value as typeof whom)}
          data={[
            { value: 'patient-contact', label: 'The patient' },
            { value: 'caregiver-contact', label: 'A caregiver' },
          ]}
        />
        <NativeSelect
          mt="sm"
          label="How"
          value={contact}
          onChange={(event) => setContact(event.currentTarget.value as ContactMode)}
          data={modes.map((mode) => ({ value: mode, label: contactWords[mode] }))}
        />
        <Group mt="sm" grow align="flex-start">
          <TextInput
            type="time"
            label="Began at"
            value={began}
            onChange={(event) => setBegan(event.currentTarget.value)}
            error={wrong?.field === 'began' ? wrong.words : undefined}
          />
          <TextInput
            label="Minutes"
            type="number"
            min={1}
            max={480}
            value={minutes}
            onChange={(event) => setMinutes(event.currentTarget.value)}
            error={wrong?.field === 'minutes' ? wrong.words : undefined}
          />
        </Group>
        <Textarea
          mt="sm"
          label="Note, if something should be known"
          autosize
          minRows={2}
          maxLength={2000}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
          error={save.error?.message}
        />
        <Group mt="lg" justify="flex-end">
          <Button variant="default" onClick={onClose} mih={44}>
            Cancel
          </Button>
          <Button type="submit" mih={44} loading={save.isPending} disabled={wrong !== null}>
            Log the call
          </Button>
        </Group>
      </form>
    </Modal>
  )
}

function wrongOf(from: number | undefined, minutes: number): { field: 'began' | 'minutes'; words: string } | null {
  if (from === undefined) return { field: 'began', words: 'Say when it began.' }
  if (minutes < 1) return { field: 'minutes', words: 'Say how many minutes.' }
  if (from + minutes * minuteMs > serverNow() + minuteMs)
    return { field: 'minutes', words: 'That would end in the future.' }
  return null
}
