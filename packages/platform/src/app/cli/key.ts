/** `careloop key rotate|status|escrow|verify-escrow`. */
import { text } from 'node:stream/consumers'
import { findKeyFile } from '../../audit/index.ts'
import { type KeyRing, openMasterKey } from '../../engine/index.ts'
import type { Config } from '../config.ts'
import { appFailure } from '../errors.ts'
import type { Command } from '../main.ts'
import { escrowForm, verifyTyped } from './escrow-form.ts'
import { withRooms } from './with-rooms.ts'

const USAGE = 'careloop key rotate [--resume] | status | escrow | verify-escrow'

export const keyCommand: Command = async (config, [verb], options) => {
  if (verb === 'rotate') await rotate(config, options.resume === true)
  else if (verb === 'status') await status(config)
  else if (verb === 'escrow') await escrow(config)
  else if (verb === 'verify-escrow') await verifyEscrow(config)
  else throw appFailure('usage', USAGE)
}

/** The new key is kept before the first data key is wrapped by it: docs/security/keys.md. */
async function rotate(config: Config, resume: boolean): Promise<void> {
  await withRooms(config, async ({ engine }) => {
    const { rewrapped } = resume ? await engine.keys.finishRotation() : await engine.keys.rotateMaster()
    const { current } = await engine.keys.master()
    console.log(`master key  ${current} wraps now; ${rewrapped} data keys were wrapped anew by it`)
    if (config.kms === undefined && !resume)
      console.log(
        `${config.masterKeyFile} has changed. Copy it to escrow now, in place of the copy there, or print it: careloop key escrow.\n` +
          'The old key stays in it: backups from before need it. Servers on other machines need this file too.',
      )
  })
}

async function status(config: Config): Promise<void> {
  await withRooms(config, async ({ engine }) => {
    const { current, behind } = await engine.keys.master()
    console.log(`master key  ${current} wraps new data keys`)
    console.log(
      behind === 0
        ? 'no data key is wrapped by an older one'
        : `${behind} data keys are wrapped by an older one still. A server that runs ends that by itself; or: careloop key rotate --resume`,
    )
  })
}

async function escrow(config: Config): Promise<void> {
  const ring = await ringOf(config)
  console.log(escrowForm(await ring.all(), new Date().toISOString().slice(0, 10)))
  console.error(
    `Keep a copy of the audit trail's key too, as a file: ${await findKeyFile(config.auditKeyFile)}. Without it a restored trail is not sealed on.`,
  )
  console.error(
    'This is the key itself. Print it and close this window; keep it in no file, no mail and no shell history.',
  )
}

/** What is typed is compared in memory and kept nowhere. */
async function verifyEscrow(config: Config): Promise<void> {
  const ring = await ringOf(config)
  if (process.stdin.isTTY)
    console.error('Type the id of the key, then its lines as they stand on the paper. End with Ctrl-D.')
  const typed = verifyTyped(await text(process.stdin), await ring.all())
  if (!typed.fits) throw appFailure('escrow-unfit', typed.says)
  console.log(
    `The paper is right: key ${typed.id}${typed.inUse ? ', which is in use' : ', an older one. The one in use is another'}.`,
  )
}

async function ringOf(config: Config): Promise<KeyRing> {
  if (config.kms === undefined)
    return (await openMasterKey({ path: config.masterKeyFile, dataDir: config.dataDir })).ring
  throw appFailure(
    'usage',
    `The master key never leaves ${config.kms.address}: back that service up, and keep its unseal or recovery keys in escrow.`,
  )
}
