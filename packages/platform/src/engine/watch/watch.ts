/**
 * What operators read: structured lines on stdout and metrics for Prometheus. Neither ever carries PHI, whatever a room hands
 * over: text passes by an allowed field name only, errors lose messages that may quote a value, requests lose their URL.
 */
import {
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  type Logger,
  type LoggerOptions,
  pino,
} from 'pino'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Watch } from '../ports.ts'
import { safeError } from './safe-error.ts'
import { scrub, scrubMessage } from './scrub.ts'

export interface WatchParts {
  /** Default `info`. */
  readonly level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  /** Where lines go; default stdout, written synchronously so that a line before a crash is not lost. */
  readonly destination?: DestinationStream
  /** Also metrics of the Node process (CPU, memory, event loop lag). Default false: they cost an observer. */
  readonly processMetrics?: boolean
}

const serializers = { err: (error: unknown) => safeError(error), req: safeRequest, res: safeResponse }
const SERIALIZED: ReadonlySet<string> = new Set(Object.keys(serializers))

export function makeWatch(parts: WatchParts = {}): Watch {
  const metrics = new Registry()
  if (parts.processMetrics) collectDefaultMetrics({ register: metrics })
  const options: LoggerOptions = {
    level: parts.level ?? 'info',
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => scrub(fields, SERIALIZED),
    },
    serializers,
    hooks: {
      logMethod(args, method) {
        method.apply(this, constantMessage(args))
      },
    },
  }
  const log: Logger = parts.destination ? pino(options, parts.destination) : pino(options)
  return { log: withSafeChildren(log), metrics }
}

/**
 * pino applies no formatter to the bindings of a child, and lets a child bring its own serializers (Fastify brings one that
 * writes URLs). Children inherit these two methods from the root through their prototype.
 */
function withSafeChildren(root: Logger): Logger {
  const child: (this: Logger, bindings: Bindings, options?: ChildLoggerOptions) => Logger = root.child
  const { setBindings } = root
  return Object.assign(root, {
    child(this: Logger, bindings: Bindings, options?: ChildLoggerOptions) {
      const { serializers: _, formatters: __, redact: ___, ...rest } = options ?? {}
      return child.call(this, scrub(bindings, SERIALIZED), rest)
    },
    setBindings(this: Logger, bindings: Bindings) {
      setBindings.call(this, scrub(bindings, SERIALIZED))
    },
  })
}

type LogArguments = [obj: object, msg?: string, ...args: unknown[]] | [msg: string, ...args: unknown[]]

/**
 * Takes from a call what pino would put into the message by itself: the message of an error given without one, and values
 * given for `%s`.
 */
function constantMessage(args: readonly unknown[]): [obj: object, msg: string] {
  const [first, second] = args as LogArguments
  if (typeof first === 'string') return [{}, scrubMessage(first)]
  const message = typeof second === 'string' ? scrubMessage(second) : undefined
  const fields = first instanceof Error ? { err: first } : first
  if (!('err' in fields)) return [fields, message ?? '']
  return [fields, message === undefined || quotes(message, fields.err) ? 'an error' : message]
}

/** Whether a message repeats that of an error whose message may not be logged, as Fastify does. */
function quotes(message: string, error: unknown): boolean {
  if (!(error instanceof Error) || error.message === '') return false
  return message.includes(error.message) && safeError(error).message === undefined
}

interface RequestLike {
  readonly method?: unknown
  readonly routeOptions?: { readonly url?: unknown }
}

/** A request by its route pattern, never by its URL: ids and search texts stand there. */
function safeRequest(request: RequestLike | null | undefined): object {
  return { method: request?.method, route: request?.routeOptions?.url }
}

function safeResponse(response: { readonly statusCode?: unknown } | null | undefined): object {
  return { status: response?.statusCode }
}
