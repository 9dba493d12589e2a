/** Requests over connections that are kept: so many at a time, for so long, and how long each took. */
import { Agent, request } from 'node:http'
import { quantile } from '../support/report.ts'

export interface Asked {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
}

export interface Answer {
  readonly status: number
  readonly text: string
}

export interface Client {
  ask(asked: Asked): Promise<Answer>
  close(): void
}

export function openClient(port: number, token: string, connections: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'lifo' })
  const authorization = `Bearer ${token}`
  return {
    ask: ({ method, path, body }) =>
      new Promise((resolve, reject) => {
        const headers = {
          authorization,
          accept: 'application/fhir+json',
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/fhir+json', 'content-length': Buffer.byteLength(body) }),
        }
        const sent = request({ agent, host: '127.0.0.1', port, method, path, headers }, (response) => {
          const parts: Buffer[] = []
          response.on('data', (part: Buffer) => parts.push(part))
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
          )
          response.on('error', reject)
        })
        sent.on('error', reject)
        sent.end(body)
      }),
    close: () => agent.destroy(),
  }
}

export interface Run {
  readonly count: number
  readonly perSecond: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

export interface Load {
  readonly at: number
  readonly ms: number
  /** Requests made before it is measured. */
  readonly warmUp: number
}

/** @param next request of a number; @param check throws when the answer is not what it must be */
export async function run(
  client: Client,
  { at: together, ms, warmUp }: Load,
  next: (number: number) => Asked,
  check: (answer: Answer, number: number) => void,
): Promise<Run> {
  let number = 0
  const took: number[] = []
  const worker = async (isOver: () => boolean, isMeasured: boolean) => {
    while (!isOver()) {
      const mine = number++
      const asked = next(mine)
      const began = performance.now()
      const answer = await client.ask(asked)
      if (isMeasured) took.push(performance.now() - began)
      check(answer, mine)
    }
  }
  const all = (isOver: () => boolean, isMeasured: boolean) =>
    Promise.all(Array.from({ length: together }, () => worker(isOver, isMeasured)))
  await all(() => number >= warmUp, false)
  const began = performance.now()
  await all(() => performance.now() - began >= ms, true)
  const seconds = (performance.now() - began) / 1000
  const sorted = Float64Array.from(took).sort()
  return {
    ...{ count: took.length, perSecond: took.length / seconds },
    ...{ p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99) },
  }
}

export function mustBe(status: number, answer: Answer): void {
  if (answer.status !== status)
    throw new Error(`answered ${answer.status} instead of ${status}: ${answer.text.slice(0, 500)}`)
}
