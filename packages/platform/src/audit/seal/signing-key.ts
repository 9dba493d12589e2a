/**
 * The key that signs checkpoints, in a file that the database cannot read: beside the master key, outside the data directory, mode
 * 0600. The file also remembers the last checkpoint that was signed, so that a trail that was cut back is not signed as if nothing
 * had been there.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { auditFailure } from '../errors.ts'
import { makeSigner, type Signer } from './note.ts'

export interface SigningKey {
  /** Who signs the next checkpoint, and who is to sign from then on (a rotation). */
  read(): Promise<KeyState>
  /** The next key takes over: it was announced by a checkpoint of the one before. */
  promote(): Promise<void>
  /** Makes the next key. @returns its verifier key; the same again while it waits */
  announce(): Promise<string>
  /** What was signed last; with it a beginning anew is over. */
  remember(last: LastSigned): Promise<void>
  /** A number that a sink has, or that somebody knows: nothing is signed again under it. @returns false when it was known */
  resumeAfter(last: LastSigned): Promise<boolean>
}

export interface KeyState {
  readonly signer: Signer
  readonly next?: Signer
  readonly last?: LastSigned
  /** The key before was lost, for this reason, and no checkpoint of this one says so yet. */
  readonly anew?: string
}

export interface LastSigned {
  readonly batch: number
  /** Of the note; `-` where only the number is known. */
  readonly link: string
  /** The last entry in the tree, and how many it has. Absent in files of before. */
  readonly tree?: { readonly xid: string; readonly id: string; readonly size: number }
}

interface Kept {
  readonly log: string
  readonly key: Buffer
  readonly next?: Buffer
  readonly last?: LastSigned
  readonly anew?: string
}

const HEAD = `# Careloop signs the checkpoints of its audit trail with this key. Whoever has it can sign a forged trail.
# Keep it where the database cannot read it; readable by the server's user only (mode 0600). Copy it to escrow, like the master key.
`

/** @param wantsNew makes a file when there is none: only while no checkpoint was ever signed */
export async function openSigningKey(path: string, wantsNew: boolean): Promise<SigningKey> {
  const found = await readKept(path)
  if (found === undefined) {
    if (!wantsNew) throw missing(path)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeKept(path, { log: randomBytes(8).toString('hex'), key: randomBytes(32) }, 'wx')
  }
  const kept = async (): Promise<Kept> => {
    const read = await readKept(path)
    if (read === undefined) throw missing(path)
    return read
  }
  const signerOf = ({ log }: Kept, seed: Buffer) => makeSigner(`careloop.audit/${log}`, seed)
  return {
    async read() {
      const now = await kept()
      const next = now.next === undefined ? {} : { next: signerOf(now, now.next) }
      const { last, anew } = now
      return {
        ...{ signer: signerOf(now, now.key), ...next },
        ...(last === undefined ? {} : { last }),
        ...(anew === undefined ? {} : { anew }),
      }
    },
    async promote() {
      const { next, ...now } = await kept()
      // The key before is forgotten: nobody can sign the past with it any more.
      if (next !== undefined) await writeKept(path, { ...now, key: next })
    },
    async announce() {
      const now = await kept()
      const next = now.next ?? randomBytes(32)
      if (now.next === undefined) await writeKept(path, { ...now, next })
      return signerOf(now, next).verifierKey
    },
    async remember(last) {
      const { anew: _, ...now } = await kept()
      await writeKept(path, { ...now, last })
    },
    async resumeAfter(last) {
      const now = await kept()
      if (last.batch <= (now.last?.batch ?? -1)) return false
      await writeKept(path, { ...now, last })
      return true
    },
  }
}

/** For a trail whose key is lost: a key of the same name. @throws Failure `audit-key-there` when a file lies there */
export async function writeNewKey(path: string, log: string, reason: string): Promise<string> {
  if ((await readKept(path)) !== undefined)
    throw auditFailure('audit-key-there', `There is a key at ${path}. Whoever has a key has not lost it: audit rotate.`)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const key = randomBytes(32)
  // One line of a signed note.
  const anew = reason.replace(/\s+/g, ' ').trim().slice(0, 200)
  await writeKept(path, { log, key, anew }, 'wx')
  return makeSigner(`careloop.audit/${log}`, key).verifierKey
}

async function readKept(path: string): Promise<Kept | undefined> {
  const file = await open(path, constants.O_RDONLY).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw auditFailure('audit-key-unreadable', `The audit key ${path} cannot be read (${cause.code}).`, { cause })
  })
  if (file === undefined) return undefined
  try {
    const stats = await file.stat()
    if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0)
      throw auditFailure(
        'audit-key-unreadable',
        `Others than its owner may read the audit key. Say: chmod 600 '${path}'`,
      )
    return parseKept(await file.readFile('utf8'))
  } finally {
    await file.close()
  }
}

function parseKept(text: string): Kept {
  const words = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^(log|key|next|last|anew) (.+)$/.exec(line)
    if (match) words.set(match[1]!, match[2]!)
  }
  const seed = (name: string) => Buffer.from(words.get(name) ?? '', 'base64')
  const last = /^(\d+) (\S+)(?: (\d+) (-?\d+) (\d+))?$/.exec(words.get('last') ?? '')
  const log = words.get('log') ?? ''
  const isWhole = /^[0-9a-f]{16}$/.test(log) && seed('key').byteLength === 32
  if (!isWhole || (words.has('next') && seed('next').byteLength !== 32))
    throw auditFailure('audit-key-unreadable', 'The audit key file is damaged. Put back the copy from escrow.')
  return {
    ...{ log, key: seed('key') },
    ...(words.has('next') ? { next: seed('next') } : {}),
    ...(last ? { last: lastOf(last) } : {}),
    ...(words.has('anew') ? { anew: words.get('anew')! } : {}),
  }
}

function lastOf([, batch, link = '', xid, id, size]: RegExpExecArray): LastSigned {
  const tree = xid === undefined || id === undefined ? {} : { tree: { xid, id, size: Number(size) } }
  return { batch: Number(batch), link, ...tree }
}

function lastLine({ batch, link, tree }: LastSigned): string {
  return `last ${batch} ${link}${tree === undefined ? '' : ` ${tree.xid} ${tree.id} ${tree.size}`}`
}

async function writeKept(path: string, kept: Kept, flag: 'wx' | 'w' = 'w'): Promise<void> {
  const lines = [
    ...[`log ${kept.log}`, `key ${kept.key.toString('base64')}`],
    ...(kept.next === undefined ? [] : [`next ${kept.next.toString('base64')}`]),
    ...(kept.last === undefined ? [] : [lastLine(kept.last)]),
    ...(kept.anew === undefined ? [] : [`anew ${kept.anew}`]),
  ]
  const target = flag === 'wx' ? path : `${path}.new`
  const file = await open(target, flag, 0o600)
  try {
    await file.writeFile(`${HEAD}${lines.join('\n')}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  if (target !== path) await rename(target, path)
}

const missing = (path: string) =>
  auditFailure(
    'audit-key-missing',
    `Checkpoints were signed before, and the audit key is not at ${path}. Put it back from escrow, or name its path in CARELOOP_AUDIT_KEY_FILE.`,
  )
