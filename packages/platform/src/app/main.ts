/** `careloop`: the server and its tools. The environment is read here and nowhere else. */
import { parseArgs } from 'node:util'
import { Failure } from '@careloop/contract'
import { safeError } from '../engine/index.ts'
import { auditCommand } from './cli/audit.ts'
import { backupCommand } from './cli/backup.ts'
import { clinicalCommand } from './cli/clinical.ts'
import { deviceCommand } from './cli/device.ts'
import { doctorCommand } from './cli/doctor.ts'
import { keyCommand } from './cli/key.ts'
import { migrateCommand } from './cli/migrate.ts'
import { programCommand } from './cli/program.ts'
import { tenantCommand, userCommand } from './cli/staff.ts'
import { startCommand } from './cli/start.ts'
import { tokenCommand } from './cli/token.ts'
import { type Config, readConfig } from './config.ts'
import { appFailure } from './errors.ts'

/** @param words what follows the command's own name; `options` are long options with their values */
export type Command = (config: Config, words: readonly string[], options: Options) => Promise<void>
export type Options = Readonly<Record<string, string | boolean | undefined>>

const USAGE = `careloop <command>

  start                                    the platform: database, doors, pages
  device enroll --name N --profile P       enrols a device; --class medical|wellness|operational|cyber-device,
                                           --subject ID assigns it, --token prints a token for it
  device list                              devices with profile, wearer and when last heard
  token create --device NAME               a new token for a device, shown once
  token create --service NAME --scopes S   a token for a program, e.g. --scopes subject:read,series:read
    [--own]                                it is the organisation's own: sees patients without a consent of each
  program activate FILE|CODE               evaluates a program's rules from now on; a code is looked up in programs/
  program list                             programs of this version and what of them is active
  tenant create NAME                       another organisation
  tenant list                              organisations by name and id
  user create --email E --name N --roles R a member of staff, e.g. --roles nurse,administrator; also one who comes back
  user password --email E                  a new password, shown once; ends the person's sessions
  user reset-second-factor --email E       for who has lost the telephone and the backup codes
  key rotate [--resume]                    a new master key, while servers run; copy it to escrow afterwards
  key status                               which master key wraps, and what an older one still wraps
  key escrow | verify-escrow               the master key as a paper form; checks a typed copy of it and keeps nothing
  audit key | rotate                       the public key of the audit trail; a new one
  audit resume --after N                   checkpoints up to N were signed before a restore (sinks that cannot be asked)
  audit begin-anew --reason "..."          a new key where the old one is lost
  audit export --out FILE                  the trail with its signed batches; --from, --to TIME, --form fhir
  audit verify FILE --key KEY              without a database: what was changed first; --sink PATH of what a sink kept
  audit prove ENTRY                        that one entry stands in the trail
  backup list | run | check                what lies in the store; a base copy now; whether backups are well
  backup verify                            a drill: the newest backup is restored beside, started, read and removed
  backup restore --into DIR                into an empty directory; --to TIME goes back to then, --backup ID from that one
  backup salvage DIR                       ships what a dead server could not, from its data directory
  backup report --finished-at TIME         external database: when its own backup was finished
  clinical rebuild                         what the record says of readings, made again; --subject ID, --since TIME
  migrate [--dry-run]                      brings the database to this version's schema
  doctor                                   looks at ports, disk, clock, database, certificates, keys; says how to mend
                                           --security: also what a security officer asks first

  --tenant NAME   which organisation, when there are several
Environment: CARELOOP_DATA, CARELOOP_HTTP_PORT, CARELOOP_MQTT_PORT, CARELOOP_MQTTS_PORT, CARELOOP_MASTER_KEY_FILE, DATABASE_URL`

const commands: Readonly<Record<string, Command>> = {
  start: startCommand,
  device: deviceCommand,
  program: programCommand,
  token: tokenCommand,
  tenant: tenantCommand,
  user: userCommand,
  key: keyCommand,
  audit: auditCommand,
  backup: backupCommand,
  clinical: clinicalCommand,
  migrate: migrateCommand,
  doctor: doctorCommand,
}

async function main(argv: readonly string[]): Promise<void> {
  const [name, ...rest] = argv
  if (name === undefined || name === 'help' || name === '--help') {
    console.log(USAGE)
    return
  }
  const command = commands[name]
  if (!command) throw appFailure('usage', `There is no command "${name}".\n\n${USAGE}`)
  const { positionals, values } = parseWords(rest)
  await command(readConfig(process.env), positionals, values)
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const options = {
  ...{ name: text, profile: text, class: text, subject: text, device: text, service: text, scopes: text, own: flag },
  ...{ email: text, roles: text, tenant: text, token: flag, 'dry-run': flag, resume: flag, security: flag },
  ...{ out: text, from: text, key: text, sink: text, form: text, restored: text, after: text },
  ...{ into: text, to: text, backup: text, 'finished-at': text, since: text },
}

function parseWords(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options })
  } catch (error) {
    throw appFailure('usage', `${(error as Error).message}\n\n${USAGE}`)
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  // Messages of others may quote what they choked on: a name, a number.
  if (!(error instanceof Failure))
    console.error(`An error that nobody expected: ${JSON.stringify(safeError(error), null, 2)}`)
  else console.error(`${error.message}\n(${error.code}: docs/errors.md)`)
  process.exitCode = 1
})
