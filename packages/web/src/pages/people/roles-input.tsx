/** Roles, each with what it is for: an administrator gives no more than is needed. */
import type { Role } from '@careloop/contract'
import { Checkbox, Stack } from '@mantine/core'

const roleWords: Readonly<Record<Role, string>> = {
  nurse: "Patients' tasks, enrolment, own limits of a patient",
  physician: "As a nurse, and the rules of patients' programs",
  pharmacist: 'Refrigerators and cabinets: tasks and board',
  facilities: 'Buildings and equipment: tasks, board, probes',
  biomed: 'Devices, gateways, quarantine; no patient by name',
  administrator: 'People and programs, and everything else; needs a second factor',
  compliance: 'Reads everything, the audit trail too; changes nothing',
  integrator: 'Devices and interfaces; no patient',
}

const roles = Object.keys(roleWords) as Role[]

export function RolesInput({ value, onChange }: { value: readonly Role[]; onChange: (roles: Role[]) => void }) {
  return (
    <Checkbox.Group label="Roles" value={[...value]} onChange={(next) => onChange(next as Role[])} mt="md" size="md">
      <Stack gap="sm" mt="xs">
        {roles.map((role) => (
          <Checkbox key={role} value={role} label={role} description={roleWords[role]} />
        ))}
      </Stack>
    </Checkbox.Group>
  )
}
