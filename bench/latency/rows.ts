/** When another process first sees an alert's row: asked at each notification that something was committed. */
import pg from 'pg'

export interface RowWatch {
  /** By `device measuredAt`: ms since epoch when the row was seen. */
  stop(): Promise<ReadonlyMap<string, number>>
}

interface Row {
  readonly id: string
  readonly device_id: string
  readonly at: string
}

/** @param url of a role that row-level security does not bind */
export async function watchRows(url: string): Promise<RowWatch> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const seen = new Map<string, number>()
  const { rows: newest } = await client.query<{ id: string }>(
    'select coalesce(max(id), 0) as id from tenant.alert_event',
  )
  let last = newest[0]!.id
  let asking: Promise<void> | null = null
  let again = false
  const ask = async () => {
    do {
      again = false
      const { rows } = await client.query<Row>(
        `select e.id, s.device_id, e.at from tenant.alert_event e
           join tenant.alert a on a.tenant_id = e.tenant_id and a.id = e.alert_id
           join tenant.assignment s on s.tenant_id = a.tenant_id and s.subject_id = a.subject_id
          where e.id > $1 and e.what in ('raised', 'recurred') order by e.id`,
        // Ids are given before commits: a later one may be seen first, so a stretch is asked for again.
        [String(Math.max(0, Number(last) - 1_000))],
      )
      const now = Date.now()
      for (const { device_id, at } of rows) if (!seen.has(`${device_id} ${at}`)) seen.set(`${device_id} ${at}`, now)
      last = rows.at(-1)?.id ?? last
    } while (again)
    asking = null
  }
  await ask()
  client.on('notification', () => {
    again = true
    asking ??= ask()
  })
  await client.query('listen careloop_fact')
  return {
    async stop() {
      await asking
      await ask()
      await client.end()
      return seen
    },
  }
}
