/** A real HTTP server on loopback as the endpoint of a subscription: keeps what it takes, and can be made to misbehave. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Taken {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly kind: string
  /** Event numbers, in their order. */
  readonly numbers: readonly number[]
  /** `Type/id` of each event's focus; null where there was none. */
  readonly focuses: readonly (string | null)[]
  readonly bundle: Bundle
}

export interface Endpoint {
  readonly url: string
  readonly taken: Taken[]
  /** Asked for, whatever was answered. */
  readonly asked: number
  /** Status of the next answers; null = 200. */
  answer(status: number | null, headers?: Readonly<Record<string, string>>): void
  /** Takes the next ones and says nothing until `letGo`. @returns resolves when one has come */
  hold(): { readonly came: Promise<void>; letGo(): void }
  close(): Promise<void>
}

interface Bundle {
  readonly type: string
  readonly entry: readonly { readonly fullUrl: string; readonly resource?: Parameters }[]
}
interface Parameters {
  readonly resourceType: string
  readonly [element: string]: unknown
  readonly parameter?: readonly Parameter[]
}
interface Parameter {
  readonly name: string
  readonly valueCode?: string
  readonly valueString?: string
  readonly valueReference?: { readonly reference: string }
  readonly part?: readonly Parameter[]
}

export async function openEndpoint(): Promise<Endpoint> {
  const taken: Taken[] = []
  let asked = 0
  let refusal: { status: number; headers: Readonly<Record<string, string>> } | null = null
  let held: { came: () => void; gone: Promise<void> } | null = null
  const server: Server = createServer(async (request, response) => {
    asked += 1
    const body = await text(request)
    const said = refusal
    if (said === null) taken.push(takenOf(request.url ?? '', request.headers, body))
    if (held !== null) {
      held.came()
      await held.gone
    }
    response.writeHead(said?.status ?? 200, said?.headers).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/told`,
    taken,
    get asked() {
      return asked
    },
    answer(status, headers = {}) {
      refusal = status === null ? null : { status, headers }
    },
    hold() {
      const came = Promise.withResolvers<void>()
      const gone = Promise.withResolvers<void>()
      held = { came: came.resolve, gone: gone.promise }
      return {
        came: came.promise,
        letGo() {
          held = null
          gone.resolve()
        },
      }
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export function takenOf(path: string, headers: IncomingHttpHeaders, body: string): Taken {
  const bundle = JSON.parse(body) as Bundle
  const parameters = bundle.entry[0]!.resource!.parameter!
  const events = parameters.filter(({ name }) => name === 'notificationEvent').map(({ part }) => part!)
  const focusOf = (part: readonly Parameter[]) =>
    part.find(({ name }) => name === 'focus')?.valueReference?.reference.split('/fhir/R4/')[1] ?? null
  return {
    ...{ path, headers, text: body, bundle },
    kind: parameters.find(({ name }) => name === 'type')!.valueCode!,
    numbers: events.map((part) => Number(part.find(({ name }) => name === 'eventNumber')!.valueString)),
    focuses: events.map(focusOf),
  }
}
