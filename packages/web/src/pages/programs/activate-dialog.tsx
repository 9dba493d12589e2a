/** Activation: what the program is not for is shown and confirmed; what the server refuses is said with what to do. */
import { type ProgramBody, vitalSignNotice, watchesVitalSigns } from '@careloop/contract'
import { Checkbox, List, Text, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { endpoints } from '../../api/endpoints.ts'
import { useMe } from '../../app/session.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { FormFoot, Refusal } from '../../parts/refusal.tsx'
import { useOffline } from '../../parts/why-not.ts'
import classes from './programs.module.css'
import { answerText, needsVitalNotice } from './words.ts'

export function ActivateDialog({ program, onClose }: { program: ProgramBody; onClose: () => void }) {
  const me = useMe()
  const offline = useOffline()
  const [seen, setSeen] = useState(false)
  const [isChecked, setChecked] = useState(false)
  const client = useQueryClient()
  const activate = useMutation({
    mutationFn: () => call(endpoints.activateProgram, { params: { code: program.code }, body: { noticeSeen: true } }),
    onSuccess: onClose,
    onSettled: () => client.invalidateQueries({ queryKey: ['programs'] }),
  })
  return (
    <Dialog opened title={`Activate: ${program.title}`} size="lg" onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          setChecked(true)
          if (seen) activate.mutate()
        }}
      >
        <Text>{program.use}</Text>
        <div className={classes.notice}>
          <Title order={3}>What it is not for</Title>
          <Text>{program.notice}</Text>
          {needsVitalNotice(program, watchesVitalSigns) ? <Text mt="xs">{vitalSignNotice}</Text> : null}
        </div>
        <Title order={3}>Who answers</Title>
        <List spacing={4} mt={4}>
          {program.rules.map((rule) => (
            <List.Item key={rule.code}>
              {rule.title}: {answerText(rule)}
              {rule.problem === undefined ? '' : `. ${rule.problem}`}
            </List.Item>
          ))}
        </List>
        <Checkbox
          mt="md"
          label={`I, ${me.displayName}, have read what it is not for.`}
          checked={seen}
          onChange={(event) => setSeen(event.currentTarget.checked)}
          error={isChecked && !seen ? 'Confirm that you have read it.' : undefined}
        />
        <Refusal error={activate.error} />
        <FormFoot label="Activate" isPending={activate.isPending} onCancel={onClose} why={offline} />
      </form>
    </Dialog>
  )
}
