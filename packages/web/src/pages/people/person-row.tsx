/** One person of the list, and what an administrator may do with their account. */
import type { User } from '@careloop/contract'
import { Button, Menu } from '@mantine/core'
import { useMe } from '../../app/session.tsx'
import { Age } from '../../parts/age.tsx'
import rows from '../../parts/rows.module.css'
import { useWhyNot } from '../../parts/why-not.ts'
import type { PersonAct } from './dialogs.tsx'

export function PersonRow({ person, onAct }: { person: User; onAct: (act: PersonAct) => void }) {
  const { displayName, email, roles, hasSecondFactor, createdAt, endedAt } = person
  return (
    <li className={rows.row}>
      <div className={rows.what}>
        <strong>{displayName}</strong> <span className={rows.soft}>{email}</span>
        <div>{roles.join(', ')}</div>
        <div className={rows.soft}>
          {endedAt === null ? (
            <>
              {hasSecondFactor ? 'Second factor on' : 'No second factor'} · added <Age at={createdAt} />
            </>
          ) : (
            <>
              left <Age at={endedAt} />
            </>
          )}
        </div>
      </div>
      {endedAt === null ? <Acts person={person} onAct={onAct} /> : null}
    </li>
  )
}

function Acts({ person, onAct }: { person: User; onAct: (act: PersonAct) => void }) {
  const isMe = useMe().id === person.id
  const whyNot = useWhyNot('update', 'user')
  const why = isMe ? 'Your own password and second factor are on your account page.' : whyNot
  if (isMe) return <span className={rows.tag}>you</span>
  return (
    <Menu position="bottom-end" width={260} keepMounted={false}>
      <Menu.Target>
        <Button
          variant="default"
          mih={44}
          disabled={why !== null}
          title={why ?? undefined}
          aria-label={`Change the account of ${person.displayName}`}
        >
          Change
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => onAct({ do: 'roles', person })}>Roles</Menu.Item>
        <Menu.Item onClick={() => onAct({ do: 'password', person })}>New password</Menu.Item>
        <Menu.Item disabled={!person.hasSecondFactor} onClick={() => onAct({ do: 'second-factor', person })}>
          Reset the second factor
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={() => onAct({ do: 'end', person })}>End the membership</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
