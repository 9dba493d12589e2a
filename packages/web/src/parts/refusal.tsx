/** What the server refused, at the field it names; and the foot of every form. */
import { Button, Group, Text } from '@mantine/core'
import { ApiError } from '../api/client.ts'
import { PasskeyError } from '../api/passkey.ts'

/** The refusal of one field. @param pointer as the server names it, e.g. `/body/owner` */
export const refusalAt = (error: Error | null, pointer: string): string | undefined =>
  error instanceof ApiError && error.pointer === pointer ? error.message : undefined

/** @returns the server's words, or the authenticator's */
export const refusalWords = (error: Error): string =>
  error instanceof ApiError || error instanceof PasskeyError ? error.message : 'The page itself failed. Load it again.'

/** What no field of the form shows. @param shown pointers that do */
export function Refusal({ error, shown = [] }: { error: Error | null; shown?: readonly string[] }) {
  if (error === null || (error instanceof ApiError && shown.includes(error.pointer))) return null
  return (
    <Text role="alert" mt="sm" fw={600}>
      {refusalWords(error)}
    </Text>
  )
}

interface FormFootProps {
  readonly label: string
  readonly isPending: boolean
  readonly onCancel: () => void
  /** Why it cannot be sent now. */
  readonly why?: string | null
}

export function FormFoot({ label, isPending, onCancel, why = null }: FormFootProps) {
  return (
    <>
      {why === null ? null : (
        <Text mt="sm" role="status">
          {why}
        </Text>
      )}
      <Group mt="lg" justify="flex-end">
        <Button variant="default" onClick={onCancel} mih={44}>
          Cancel
        </Button>
        <Button type="submit" loading={isPending} disabled={why !== null} mih={44}>
          {label}
        </Button>
      </Group>
    </>
  )
}
