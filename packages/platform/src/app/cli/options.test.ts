import { NewServiceToken, NewUser } from '@careloop/contract'
import { expect, test } from 'vitest'
import { checked, listed } from './with-rooms.ts'

test('careloop options > a value that the contract does not know is refused by the option that holds it', () => {
  expect(checked(NewUser.shape.roles, listed('nurse, physician'), 'roles')).toEqual(['nurse', 'physician'])
  for (const [run, option] of [
    [() => checked(NewUser.shape.roles, listed('nurse,chief'), 'roles'), 'roles'],
    [() => checked(NewServiceToken.shape.scopes, listed('series:look'), 'scopes'), 'scopes'],
    [() => checked(NewUser.shape.email, 'ana', 'email'), 'email'],
  ] as const)
    expect(run).toThrow(expect.objectContaining({ code: 'usage', message: expect.stringMatching(`^--${option}: `) }))
})
