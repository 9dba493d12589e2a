/** What ingest must know of the fleet, from memory: asked for every message. Fleet's directory gives it. */
export interface Attribution {
  /** Value of the log's fence `attribution` that this copy agrees with. */
  readonly epoch: number
  /** Who wore the device then; null = nobody, undefined = the device is not known here yet. */
  whoWears(device: string, at: number): { readonly assignment: string; readonly subject: string } | null | undefined
  /** IANA zone for wall-clock times of the device. */
  timeZone(device: string): string
  /** Brings the copy up to date with the database. */
  refresh(): Promise<void>
}
