import { Id } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { defineRoute } from '../identity/index.ts'
import { openApiDocument } from './openapi.ts'
import { type TestShell, testShell } from './testing/test-shell.ts'
import { things } from './testing/things.ts'

let shell: TestShell
beforeAll(async () => {
  shell = await testShell({ routes: () => things })
})
afterAll(() => shell.close())

interface Operation {
  readonly operationId: string
  readonly security: unknown[]
  readonly parameters?: { name: string; in: string; required: boolean; schema: object }[]
  readonly requestBody?: { content: Record<string, { schema?: { required?: string[] } }> }
  readonly responses: Record<string, unknown>
  readonly 'x-careloop-policy': string
}
type Document = { openapi: string; paths: Record<string, Record<string, Operation>>; components: { schemas: object } }

const served = async () => (await shell.server.inject('/api/openapi.json')).json() as Document

test('api > every route that is served is documented, with its policy', async () => {
  const { openapi, paths } = await served()
  expect(openapi).toBe('3.1.0')
  const documented = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path}`),
  )
  const routes = shell.server.routes.map(
    (route) => `${route.method.toLowerCase()} ${route.url.replaceAll(/:([A-Za-z]+)/g, '{$1}')}`,
  )
  expect(documented.sort()).toEqual(routes.sort())
  expect(paths['/api/v1/users']!.get!['x-careloop-policy']).toBe('user:read')
  expect(paths['/healthz']!.get!.security).toEqual([])
})

test('api > a route is documented with what it asks and answers', async () => {
  const operation = (await served()).paths['/api/v1/things/{id}']!.post!
  expect(operation.parameters).toMatchObject([
    { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
    { name: 'max', in: 'query', required: false, schema: { maximum: 100, default: 10 } },
  ])
  expect(operation.requestBody!.content['application/json']!.schema!.required).toEqual(['label'])
  expect(Object.keys(operation.responses)).toEqual(['200', 'default'])
})

test('api > every reference leads somewhere and every operation has a name of its own', async () => {
  const document = await served()
  const names = new Set(Object.keys(document.components.schemas))
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!)
  expect(references.length).toBeGreaterThan(0)
  for (const reference of references) expect(names).toContain(reference.replace('#/components/schemas/', ''))
  const ids = Object.values(document.paths).flatMap((item) =>
    Object.values(item).map((operation) => operation.operationId),
  )
  expect(new Set(ids).size).toBe(ids.length)
})

test('api > two different schemas of one name are refused, not merged', () => {
  const route = (url: string, shape: z.ZodType) =>
    defineRoute({
      method: 'GET',
      url,
      summary: '',
      policy: 'public',
      response: { 200: shape },
      handler: (ctx) => ctx.reply(200, {}),
    })
  const a = route('/a', z.object({ id: Id }).meta({ id: 'Same' }))
  expect(() => openApiDocument([a, route('/b', z.object({ id: Id }).meta({ id: 'Other' }))], '1')).not.toThrow()
  const twin = z.object({ name: z.string() })
  z.globalRegistry.remove(twin)
  expect(() => openApiDocument([a, route('/b', twin.meta({ id: 'Same' }))], '1')).toThrow(/called Same|ID "Same"/)
})
