/** No audit, no access: with a trail that takes no entry, every route of a whole platform is asked by somebody who may. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Route } from '../identity/index.ts'
import { requestOf } from './testing/access-requests.ts'
import { actors, openWorld, type World } from './testing/access-world.ts'
import { recordsNothing } from './testing/records-nothing.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
}, 240_000)
afterAll(() => world?.close())

const nameOf = ({ method, url }: Route) => `${method} ${url}`
/** A stream does not end; it has a test of its own. */
const isAsked = ({ policy, url }: Route) => typeof policy === 'object' && !url.endsWith('/live')
/** Whether it showed or did something: an empty list, of what is not theirs, is neither. */
const isAnswered = async (route: Route, actor: (typeof actors)[number]) => {
  const said = await world.server.inject({
    ...requestOf(route, world.targets.own),
    headers: world.headers[actor],
  })
  return said.statusCode >= 200 && said.statusCode < 300 && !/^\{"items":\[\]/.test(said.body)
}

async function answered(routes: readonly Route[]): Promise<string[]> {
  const found: string[] = []
  for (const route of routes)
    for (const actor of actors) {
      if (!(await isAnswered(route, actor))) continue
      found.push(nameOf(route))
      break
    }
  return found.sort()
}

describe('no audit, no access', () => {
  test('a route shows or changes something only with its entry; those that need none say why', async () => {
    const routes = world.server.routes.filter(isAsked)
    const reads = routes.filter(({ method }) => method === 'GET')
    const before = await answered(reads)
    expect(before.length).toBeGreaterThan(20)
    const { pool } = world.engine.db
    await pool.query('alter table tenant.audit_entry add constraint no_entry check (false) not valid')
    const without = await answered(routes)
    await pool.query('alter table tenant.audit_entry drop constraint no_entry')
    expect(without.filter((name) => recordsNothing[name] === undefined)).toEqual([])
    const known = new Set(routes.map(nameOf))
    expect(Object.keys(recordsNothing).filter((name) => !known.has(name))).toEqual([])
    // What answered before and not without entries answers again: it was the trail alone that stood in the way.
    expect(await answered(reads)).toEqual(before)
  }, 240_000)
})
