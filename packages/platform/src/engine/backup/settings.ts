/** What an operator chooses of backups. */
export interface BackupSettings {
  /** Seconds after which what was written is in the store, at most, while the store answers. */
  readonly walSeconds: number
  /** Hours between base copies. */
  readonly baseHours: number
  /** Days into which one can go back. */
  readonly retentionDays: number
  /** Days for which the store holds what was put against everybody (object lock); 0 = it does not. */
  readonly lockDays: number
  /** Megabytes a second that a base copy reads at most. */
  readonly megabytesPerSecond: number
}

export const defaultBackupSettings: BackupSettings = {
  ...{ walSeconds: 10, baseHours: 24, retentionDays: 30, lockDays: 0, megabytesPerSecond: 50 },
}
