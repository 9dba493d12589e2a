/**
 * Which user runs PostgreSQL. It refuses to run as root, so root hands it to another user: the owner of the existing data,
 * else `postgres` or `careloop` where such a user exists, else a number that belongs to nobody. The server needs no entry in
 * /etc/passwd; initdb does ("could not look up effective user ID"), so it runs as a borrowed name and the files are then
 * given to the number.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

export interface Account {
  /** True when the programs must be started as another user than this process's. */
  readonly switches: boolean
  readonly uid: number
  readonly gid: number
  /** Who may run initdb; another than `uid` only where `uid` has no name. */
  readonly initUid: number
  readonly initGid: number
}

interface Named {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Far from what distributions and useradd give out (100-60000), below what systemd's dynamic users take (61184). */
const UNNAMED = 60_843

/** @param existing the data directory, when there is one: its owner goes on */
export function chooseAccount(existing: string | undefined, passwd = '/etc/passwd'): Account {
  const ownUid = process.getuid?.() ?? 0
  const ownGid = process.getgid?.() ?? 0
  if (process.platform === 'win32' || ownUid !== 0) {
    return { switches: false, uid: ownUid, gid: ownGid, initUid: ownUid, initGid: ownGid }
  }
  const named = readPasswd(passwd)
  const { uid, gid } = ownerOf(existing) ?? preferred(named) ?? { uid: UNNAMED, gid: UNNAMED }
  const borrowed = named.find((user) => user.uid === uid) ?? named.find((user) => user.name === 'nobody') ?? named[0]
  return { switches: true, uid, gid, initUid: borrowed?.uid ?? uid, initGid: borrowed?.gid ?? gid }
}

function ownerOf(dir: string | undefined): { uid: number; gid: number } | undefined {
  if (dir === undefined || !existsSync(dir)) return undefined
  const { uid, gid } = statSync(dir)
  return uid === 0 ? undefined : { uid, gid } // restored by root: it will be given to the preferred user
}

function preferred(named: readonly Named[]): Named | undefined {
  return named.find((user) => user.name === 'postgres') ?? named.find((user) => user.name === 'careloop')
}

function readPasswd(path: string): readonly Named[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter((user) => user.name !== '' && Number.isInteger(user.uid) && user.uid > 0)
}

/** Whether the account may enter every folder on the way to `path` and read it. Knows no ACLs: a wrong no only costs a copy. */
export function isReachable(path: string, account: Account): boolean {
  for (let at = path; ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at)
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0
    const needed = at === path ? 0o5 : 0o1
    if (((mode >> shift) & needed) !== needed) return false
    if (dirname(at) === at) return true
  }
}
