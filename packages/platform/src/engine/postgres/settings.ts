/**
 * What the embedded server runs with. The file is written anew at each start; an operator's own lines go into
 * `careloop.local.conf` beside it. What keeps accepted readings safe and PHI out of the server's log comes last and wins.
 */
import { totalmem } from 'node:os'

export interface SettingsOptions {
  /** Folder of the Unix socket relative to the data directory; null = loopback TCP (Windows). */
  readonly socketDir: string | null
  readonly port: number
  readonly maxConnections: number
  /** Bytes of memory to plan for; by default this machine's. */
  readonly memoryBytes?: number
}

/** Settings without which an acknowledgement is a lie. Checked on every server, embedded or not. */
export const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' } as const

const MIB = 1024 ** 2

/** @returns the whole of postgresql.conf */
export function postgresqlConf(options: SettingsOptions): string {
  const memory = options.memoryBytes ?? (process.constrainedMemory() || totalmem())
  // An eighth: the operating system's cache serves the rest, and on a laptop Careloop is a guest.
  const buffersMib = Math.max(128, Math.min(1024, Math.round(Math.min(memory, totalmem()) / 8 / MIB)))
  const lines: readonly (readonly [string, string | number])[] = [
    ['cluster_name', 'careloop'],
    ['max_connections', options.maxConnections],
    ['shared_buffers', `${buffersMib}MB`],
    ['work_mem', '8MB'],
    ['maintenance_work_mem', '64MB'],
    // Two cores are shared with the doors: one query does not take both, and compilation costs more than it saves here.
    ['max_parallel_workers_per_gather', 0],
    ['jit', 'off'],
    // Sealed bytes do not compress, so compressing page images only costs CPU. Larger and rarer checkpoints write fewer images.
    ['wal_compression', 'off'],
    ['checkpoint_timeout', '15min'],
    ['checkpoint_completion_target', '0.9'],
    ['max_wal_size', '2GB'],
    ['min_wal_size', '256MB'],
    ['max_wal_senders', 0],
    ['wal_level', 'replica'],
    // What the backup has not shipped yet is held, but never until the disk is full: past this a new base copy begins (ADR 0014).
    ['max_slot_wal_keep_size', '8GB'],
    // A killed Careloop leaves statements behind that hold locks until they notice; its successor waits for them.
    ...(process.platform === 'linux' ? [['client_connection_check_interval', '1s'] as const] : []),
    ['timezone', 'UTC'],
    ['log_timezone', 'UTC'],
  ]
  const reach: readonly (readonly [string, string | number])[] =
    options.socketDir === null
      ? [['listen_addresses', '127.0.0.1']]
      : [
          ['listen_addresses', ''],
          ['unix_socket_directories', options.socketDir],
          ['unix_socket_permissions', '0700'],
        ]
  const last: readonly (readonly [string, string | number])[] = [
    ...reach,
    ['port', options.port],
    ['password_encryption', 'scram-sha-256'],
    ...Object.entries(DURABLE),
    ...LOGGING,
  ]
  const render = (rows: readonly (readonly [string, string | number])[]) =>
    rows.map(([name, value]) => `${name} = '${value}'`).join('\n')
  return `# Written by Careloop at each start. Your own settings belong in careloop.local.conf.\n${render(lines)}\ninclude_if_exists 'careloop.local.conf'\n${render(last)}\n`
}

/**
 * No PHI in the server's log: statements, parameters and DETAIL lines ("Key (mrn)=(...) already exists") carry values, and so
 * do messages of level ERROR ("invalid input syntax for type uuid: ..."). The client gets those; the log keeps what an operator
 * needs: starts, stops, recovery, checkpoints, refused logins. One file per weekday, overwritten after a week.
 */
const LOGGING: readonly (readonly [string, string | number])[] = [
  ['logging_collector', 'on'],
  ['log_destination', 'stderr'],
  ['log_directory', 'log'],
  ['log_filename', 'postgresql-%a.log'],
  ['log_file_mode', '0600'],
  ['log_rotation_age', '1d'],
  ['log_rotation_size', 0],
  ['log_truncate_on_rotation', 'on'],
  ['log_min_messages', 'log'],
  ['log_min_error_statement', 'panic'],
  ['log_error_verbosity', 'terse'],
  ['log_statement', 'none'],
  ['log_duration', 'off'],
  ['log_min_duration_statement', -1],
  ['log_min_duration_sample', -1],
  ['log_transaction_sample_rate', 0],
  ['log_parameter_max_length', 0],
  ['log_parameter_max_length_on_error', 0],
]
