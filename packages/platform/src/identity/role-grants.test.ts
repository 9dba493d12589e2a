import { readFileSync } from 'node:fs'
import { type Action, type AnyRole, actions, personRoles, type Resource, resources, roles } from '@careloop/contract'
import { expect, test } from 'vitest'
import { may } from './may.ts'
import type { StaffPrincipal } from './principal.ts'

const doc = new URL('../../../../docs/security/access.md', import.meta.url)
const everybody: readonly AnyRole[] = [...roles, ...personRoles]

/** Letters of what may be done: of anything bare, of things in brackets, of own patients with a star. */
function cell(role: AnyRole, resource: Resource): string {
  const principal = { kind: 'staff', tenant: '', id: '', displayName: '', session: '', roles: [role] } as StaffPrincipal
  const of = (isTrue: (action: Action) => boolean) =>
    actions
      .filter(isTrue)
      .map((action) => action[0]!.toUpperCase())
      .join('')
  const things = (action: Action) => may(principal, action, resource, { kind: 'asset' })
  const strangers = (action: Action) => may(principal, action, resource, { kind: 'patient' })
  const own = (action: Action) => may(principal, action, resource, { kind: 'patient', isAttached: true })
  const whole = of(strangers)
  const ofThings = of((action) => things(action) && !strangers(action))
  const ofOwn = of((action) => own(action) && !strangers(action))
  return (
    [whole, ofThings === '' ? '' : `(${ofThings})`, ofOwn === '' ? '' : `${ofOwn}*`].filter(Boolean).join(' ') || '·'
  )
}

function accessDoc(): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(['', ...everybody]),
    line(['---', ...everybody.map(() => '---')]),
    ...resources.map((resource) => line([`\`${resource}\``, ...everybody.map((role) => cell(role, resource))])),
  ].join('\n')
}

test('roles > docs/security/access.md tells what each role may do, as it is decided', () => {
  const written = /<!-- roles -->\n([\s\S]*?)\n<!-- \/roles -->/.exec(readFileSync(doc, 'utf8'))?.[1]
  expect(written).toBe(accessDoc())
})
