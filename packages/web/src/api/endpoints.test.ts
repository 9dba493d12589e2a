import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { endpoints } from './endpoints.ts'

const openapi = JSON.parse(readFileSync(new URL('../../../../docs/openapi/openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, unknown>>
}

it.each(Object.entries(endpoints))('asks only what the server documents: %s', (_, { method, path }) => {
  expect(Object.keys(openapi.paths[path] ?? {})).toContain(method.toLowerCase())
})
