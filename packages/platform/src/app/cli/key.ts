/** `careloop key rotate`. */
import { randomBytes } from 'node:crypto'
import { appFailure } from '../errors.ts'
import type { Command } from '../main.ts'
import { withRooms } from './with-rooms.ts'

/** The new key stands in the file before the first data key is wrapped by it: docs/security/keys.md. */
export const keyCommand: Command = async (config, [verb]) => {
  if (verb !== 'rotate') throw appFailure('usage', 'careloop key rotate')
  await withRooms(config, async ({ engine }) => {
    const { rewrapped } = await engine.keys.rotateMaster(randomBytes(32))
    console.log(`master key  ${config.masterKeyFile}: a new key stands first, ${rewrapped} data keys are wrapped by it`)
    console.log(
      'Copy this file to escrow now, in place of the copy there: without the new key nothing can be read again.\n' +
        'The old key stays in it: backups from before need it. Servers on other machines need this file too.',
    )
  })
}
