/**
 * A canary: secrets and names that are seeded into a run and must never come out where operators, proxies and backups look.
 * It hears log lines, error bodies, metrics, URLs and tables, and knows each seed in the spellings that leaks take.
 */
import type { Pool } from 'pg'

export interface Leak {
  /** What leaked, by the name it was seeded under: never the value, so that a failing test does not leak again. */
  readonly seed: string
  readonly where: string
}

export interface Canary {
  /** @param value at least 6 characters, so that it is not found by chance */
  seed(name: string, value: string): string
  hear(where: string, text: string): void
  /** Every row of every table of the schemas, as text: bytea shows as hex, where seeds are looked for too. */
  hearTables(pool: Pool, schemas: readonly string[]): Promise<number>
  readonly leaks: readonly Leak[]
}

export function makeCanary(): Canary {
  const seeds = new Map<string, readonly string[]>()
  const heard: { readonly where: string; readonly text: string }[] = []
  return {
    seed(name, value) {
      if (value.length < 6) throw new Error(`The seed ${name} is too short to be told from chance.`)
      seeds.set(name, spellings(value))
      return value
    },
    hear: (where, text) => void heard.push({ where, text: text.toLowerCase() }),
    async hearTables(pool, schemas) {
      const { rows } = await pool.query<{ name: string }>(
        `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = any($1) order by 1`,
        [schemas],
      )
      for (const { name } of rows) {
        const { rows: lines } = await pool.query<{ line: string }>(`select t::text as line from ${name} t`)
        heard.push({ where: `table ${name}`, text: lines.map(({ line }) => line.toLowerCase()).join('\n') })
      }
      return rows.length
    },
    get leaks() {
      return heard.flatMap(({ where, text }) =>
        [...seeds].filter(([, forms]) => forms.some((form) => text.includes(form))).map(([seed]) => ({ seed, where })),
      )
    },
  }
}

/** As it is, in a URL, in base64 at each of three alignments, in hex; all in lower case. */
function spellings(value: string): string[] {
  const bytes = Buffer.from(value)
  // The first and last characters of base64 depend on neighbours: only the middle is looked for.
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '')
    return text.slice(shift === 0 ? 0 : shift + 1, -2)
  })
  const url = encodeURIComponent(value)
  const all = [
    value,
    url,
    url.replaceAll('%20', '+'),
    bytes.toString('hex'),
    ...base64.filter((text) => text.length >= 8),
  ]
  return [...new Set(all.map((form) => form.toLowerCase()))]
}
