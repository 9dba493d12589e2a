/** Addresses stand in histories, in logs of proxies and in what is sent on as referrer: what people type goes in bodies. */
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { roomsRoutes } from '../../scripts/openapi.ts'

/** Fields that no pattern narrows, each with the reason why nobody's name is typed there. */
const OPEN: Readonly<Record<string, string>> = {
  'GET /api/auth/sso/:slug/start back': 'a path of the pages, which the page itself puts there; held to this origin',
  'GET /api/v1/subjects/:id/series signal': 'a code of the vocabulary; another is refused',
  'POST /api/v1/programs/:code/activate code': 'code of a program file',
  'POST /api/v1/programs/:code/rules/:rule/activate code': 'code of a program file',
  'POST /api/v1/programs/:code/rules/:rule/activate rule': 'code of a rule in it',
  'POST /api/v1/programs/:code/rules/:rule/deactivate code': 'code of a program file',
  'POST /api/v1/programs/:code/rules/:rule/deactivate rule': 'code of a rule in it',
  'POST /api/v1/programs/:code/rules/:rule/take-file code': 'code of a program file',
  'POST /api/v1/programs/:code/rules/:rule/take-file rule': 'code of a rule in it',
  'POST /api/v1/tasks/:id/claim takeOver': 'a flag: true or false',
  'PUT /api/v1/programs/:code/rules/:rule code': 'code of a program file',
  'PUT /api/v1/programs/:code/rules/:rule rule': 'code of a rule in it',
}

interface Shape {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly format?: string
  readonly pattern?: string
  readonly properties?: Readonly<Record<string, Shape>>
  readonly anyOf?: readonly Shape[]
  readonly items?: Shape
}

/** Whether only ids, codes, numbers and instants fit. */
function isClosed(shape: Shape): boolean {
  if (shape.anyOf !== undefined) return shape.anyOf.every(isClosed)
  if (shape.type === 'array') return shape.items !== undefined && isClosed(shape.items)
  if (shape.type !== 'string') return shape.type !== undefined || shape.enum !== undefined || shape.const !== undefined
  return [shape.enum, shape.const, shape.format, shape.pattern].some((each) => each !== undefined)
}

const fieldsOf = (schema: z.ZodType | undefined): [string, Shape][] =>
  schema === undefined
    ? []
    : Object.entries((z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape).properties ?? {})

/**
 * FHIR lays its addresses down: ids that clients choose, searches by GET. What speaks is asked by POST (`_search`), which is served for each
 * of them; our log lines and measures keep the pattern only.
 */
const isFhir = ({ url }: { url: string }): boolean => /^\/fhir\/R4(\/|$)/.test(url)

const ours = roomsRoutes().filter((route) => !isFhir(route))

const fields = ours.flatMap((route) =>
  [...fieldsOf(route.params), ...fieldsOf(route.query)].map(
    ([name, shape]) => [`${route.method} ${route.url} ${name}`, shape] as const,
  ),
)

describe('addresses', () => {
  test('take ids, codes, numbers and instants only: words that people type go in bodies', () => {
    expect(fields.length).toBeGreaterThan(60)
    const open = fields.filter(([, shape]) => !isClosed(shape)).map(([name]) => name)
    expect(open.sort()).toEqual(Object.keys(OPEN).sort())
  })

  test('whoever does not want words in an address of FHIR can ask by POST: each search has its _search', () => {
    const fhir = roomsRoutes().filter(isFhir)
    const byPost = fhir.filter(({ method, url }) => method === 'POST' && url.endsWith('/_search')).map(({ url }) => url)
    for (const url of ['/fhir/R4', '/fhir/R4/:type', '/fhir/R4/:type/:id/:target'])
      expect([url, byPost.includes(`${url}/_search`)]).toEqual([url, true])
  })

  test('the rule itself finds a field for words', () => {
    const shapes = fieldsOf(
      z.object({ text: z.string().max(50), id: z.uuid(), kind: z.enum(['a']), n: z.coerce.number() }),
    )
    expect(shapes.filter(([, shape]) => !isClosed(shape)).map(([name]) => name)).toEqual(['text'])
  })
})
