/** OpenAPI 3.1 from the routes themselves: what is documented is what is served. */
import { OperationOutcome } from '@careloop/contract'
import { z } from 'zod'
import { type Answer, defineRoute, type Route } from '../identity/index.ts'

type Json = { [key: string]: unknown }

/** @returns the document, with keys in a stable order so that a change shows as a change */
export function openApiDocument(routes: readonly Route[], version: string): Json {
  const schemas: Json = {}
  const paths: Record<string, Json> = {}
  const sorted = [...routes].sort((a, b) => `${a.url} ${a.method}`.localeCompare(`${b.url} ${b.method}`, 'en'))
  for (const route of sorted) {
    const path = route.url.replaceAll(/:([A-Za-z]+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, schemas) }
  }
  schemaOf(OperationOutcome, 'output', schemas)
  return {
    openapi: '3.1.0',
    info: { title: 'Careloop', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'careloop.session_token' },
        display: { type: 'apiKey', in: 'cookie', name: 'careloop.display' },
        token: { type: 'http', scheme: 'bearer', description: 'cls_... of a program, cld_... of a device' },
      },
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => a.localeCompare(b, 'en'))),
    },
  }
}

export function openApiRoutes(routes: readonly Route[], version: string): Route[] {
  const own: Route[] = []
  const text = () => JSON.stringify(openApiDocument([...routes, ...own], version))
  let made: string | undefined
  own.push(
    defineRoute({
      method: 'GET',
      url: '/api/openapi.json',
      summary: 'This document',
      tag: 'health',
      policy: 'public',
      response: { 200: { stream: 'application/json' } },
      handler(ctx) {
        made ??= text()
        return ctx.send(200, 'application/json; charset=utf-8', made)
      },
    }),
  )
  return own
}

function operationOf(route: Route, schemas: Json): Json {
  const parameters = [...parametersOf('path', route.params, schemas), ...parametersOf('query', route.query, schemas)]
  return {
    operationId: operationIdOf(route),
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [route.tag ?? /^\/api\/v1\/([a-z-]+)/.exec(route.url)?.[1] ?? 'other'],
    'x-careloop-policy':
      typeof route.policy === 'string' ? route.policy : `${route.policy.resource}:${route.policy.action}`,
    security: securityOf(route),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBodyOf(route, schemas),
    responses: responsesOf(route, schemas),
  }
}

function securityOf(route: Route): Json[] {
  if (route.policy === 'public') return []
  if (route.policy === 'display') return [{ display: [] }]
  if (route.policy === 'device' || route.policy === 'operator') return [{ token: [] }]
  return [{ session: [] }, { token: [] }]
}

function parametersOf(where: 'path' | 'query', schema: z.ZodType | undefined, schemas: Json): Json[] {
  if (schema === undefined) return []
  const shape = schemaOf(schema, 'input', schemas) as { properties?: Record<string, Json>; required?: string[] }
  return Object.entries(shape.properties ?? {}).map(([name, value]) => ({
    name,
    in: where,
    required: where === 'path' || (shape.required ?? []).includes(name),
    schema: value,
  }))
}

function requestBodyOf(route: Route, schemas: Json): Json {
  if (route.bytes !== undefined) {
    const types = route.bytes.contentTypes.map((type) => (type === '*' ? '*/*' : type))
    return { requestBody: { required: true, content: Object.fromEntries(types.map((type) => [type, {}])) } }
  }
  if (route.body === undefined) return {}
  return {
    requestBody: {
      required: true,
      content: { 'application/json': { schema: schemaOf(route.body, 'input', schemas) } },
    },
  }
}

function responsesOf(route: Route, schemas: Json): Json {
  const answers = Object.entries(route.response).map(([status, answer]) => [status, answerOf(answer, schemas)])
  const refused = { $ref: '#/components/schemas/OperationOutcome' }
  return {
    ...Object.fromEntries(answers),
    default: {
      description: 'Refused; docs/errors.md explains each code',
      content: { 'application/json': { schema: refused } },
    },
  }
}

function answerOf(answer: Answer, schemas: Json): Json {
  if (answer === 'empty') return { description: 'Done' }
  if (!(answer instanceof z.ZodType)) return { description: 'Done', content: { [answer.stream]: {} } }
  return { description: 'Done', content: { 'application/json': { schema: schemaOf(answer, 'output', schemas) } } }
}

/** `GET /api/v1/devices/:id/settings` -> `getDevicesIdSettings`: stable names for a generated client. */
function operationIdOf(route: Route): string {
  const words = route.url
    .replace(/^\/api\/v1/, '')
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean)
  return route.method.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')
}

/** A schema's JSON form; what has an id (`.meta({ id })`) moves to components and is referred to. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const made = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }) as Json
  const { $schema: _, $defs, ...rest } = made
  for (const [name, definition] of Object.entries(($defs ?? {}) as Json)) keep(schemas, name, definition as Json)
  const id = schema.meta()?.id
  if (id === undefined || '$ref' in rest) return repoint(rest)
  keep(schemas, id, rest)
  return { $ref: `#/components/schemas/${id}` }
}

function keep(schemas: Json, name: string, definition: Json): void {
  const { id: _, ...shape } = definition
  const next = repoint(shape)
  const before = schemas[name]
  if (before !== undefined && JSON.stringify(before) !== JSON.stringify(next))
    throw new Error(`Two schemas are called ${name}. Give one another meta id, or use input and output alike.`)
  schemas[name] = next
}

function repoint(schema: Json): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json
}
