import fastify from 'fastify'
import { expect, it } from 'vitest'
import { watchContract } from './watch.contract.ts'
import { makeWatch } from './watch.ts'

watchContract('pino and prom-client', () => {
  const written: string[] = []
  const watch = makeWatch({ destination: { write: (line) => void written.push(line) } })
  return { watch, lines: () => written.join('') }
})

it('watch > keeps URLs, headers and addresses of requests out of the lines that Fastify writes', async () => {
  const written: string[] = []
  const watch = makeWatch({ destination: { write: (line) => void written.push(line) } })
  const server = fastify({ loggerInstance: watch.log })
  server.get('/subjects/:id', async () => {
    throw new Error('Quackenbush is at fault')
  })
  await server.inject({ url: '/subjects/quackenbush-1?name=Quackenbush', headers: { authorization: 'Bearer quack' } })
  await server.inject({ url: '/nowhere/quackenbush?name=Quackenbush' })
  await server.close()
  const lines = written.join('')
  expect(lines).toContain('/subjects/:id')
  expect(lines).toContain('"status":500')
  expect(lines).not.toMatch(/quack/i)
})
