/**
 * Work that must not hold up the door's event loop (sealing, backtests, exports, password hashes), on worker threads. Modules
 * run as they stand: Node strips types on worker threads too.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Failure } from '@careloop/contract'
import { engineFailure } from '../errors.ts'
import type { Compute } from '../ports.ts'
import type { CarriedError, JobMessage, ResultMessage } from './messages.ts'

export interface ComputeParts {
  /** Threads at most; they start when needed. Default: one less than the cores, at least 1. */
  readonly threads?: number
  /** Jobs that may wait for a thread before new ones are refused. Default 1,024. */
  readonly maxWaiting?: number
}

interface Job {
  readonly message: JobMessage
  readonly transfer: readonly ArrayBuffer[]
  readonly resolve: (output: unknown) => void
  readonly reject: (error: unknown) => void
}

interface Thread {
  readonly worker: Worker
  job: Job | undefined
  /** The last error of the thread itself (out of memory, uncaught), which its exit then tells. */
  error?: unknown
}

/**
 * A pool of threads.
 * @throws Failure from `run`: `compute-overloaded` (too many jobs wait), `compute-died` (the thread ended during the job; the
 *   job is not tried again, because a job that kills its thread would kill the next one too), `compute-closed`; else what the
 *   module threw, a Failure as a Failure.
 */
export function makeCompute(parts: ComputeParts = {}): Compute {
  return new ThreadPool(parts)
}

class ThreadPool implements Compute {
  readonly #size: number
  readonly #maxWaiting: number
  readonly #threads = new Set<Thread>()
  readonly #waiting: Job[] = []
  #nextId = 1
  #closing: Promise<void> | undefined
  #drained: (() => void) | undefined

  constructor(parts: ComputeParts) {
    this.#size = parts.threads ?? Math.max(1, availableParallelism() - 1)
    this.#maxWaiting = parts.maxWaiting ?? 1_024
  }

  run<I, O>(module: URL, input: I, transfer: readonly ArrayBuffer[] = []): Promise<O> {
    if (this.#closing) return Promise.reject(engineFailure('compute-closed', 'Careloop is stopping. Try again soon.'))
    if (this.#waiting.length >= this.#maxWaiting) {
      const message = `${this.#maxWaiting} jobs wait for a compute thread. Try again soon, or give the server more cores.`
      return Promise.reject(engineFailure('compute-overloaded', message, { retryAfterSeconds: 5 }))
    }
    return new Promise<O>((resolve, reject) => {
      const message: JobMessage = { id: this.#nextId++, module: module.href, input }
      this.#waiting.push({ message, transfer, resolve: (output) => resolve(output as O), reject })
      this.#dispatch()
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async #drain(): Promise<void> {
    if (this.#waiting.length > 0 || this.#busy() > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
    }
    await Promise.all([...this.#threads].map((thread) => thread.worker.terminate()))
  }

  #busy(): number {
    let busy = 0
    for (const thread of this.#threads) if (thread.job) busy += 1
    return busy
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#idle()
      if (!thread) return
      const job = this.#waiting.shift()!
      try {
        thread.worker.postMessage(job.message, [...job.transfer])
        thread.job = job
        thread.worker.ref()
      } catch (error) {
        job.reject(error) // the input cannot be cloned; the thread never saw it
      }
    }
    if (this.#busy() === 0) this.#drained?.()
  }

  #idle(): Thread | undefined {
    for (const thread of this.#threads) if (!thread.job) return thread
    return this.#threads.size < this.#size ? this.#start() : undefined
  }

  #start(): Thread {
    const worker = new Worker(new URL('./worker.ts', import.meta.url))
    const thread: Thread = { worker, job: undefined }
    this.#threads.add(thread)
    worker.unref() // an idle thread does not keep the process alive
    worker.on('message', (result: ResultMessage) => {
      const job = thread.job
      thread.job = undefined
      worker.unref()
      if (job) settle(job, result)
      this.#dispatch()
    })
    worker.on('error', (error) => {
      thread.error = error
    })
    worker.on('messageerror', (error) => {
      thread.error = error
      void worker.terminate() // a result that cannot be read: the job must not hang
    })
    worker.on('exit', (code) => {
      this.#threads.delete(thread)
      thread.job?.reject(died(thread.job.message.module, code, thread.error))
      thread.job = undefined
      this.#dispatch()
    })
    return thread
  }
}

function settle(job: Job, result: ResultMessage): void {
  if ('error' in result) job.reject(revive(result.error))
  else job.resolve(result.output)
}

function revive(carried: CarriedError): Error {
  const { failure, message } = carried
  if (failure) {
    const { code, kind, ...options } = failure
    return new Failure(code, kind, message, options)
  }
  const error = new Error(message)
  error.name = carried.name
  if (carried.stack !== undefined) error.stack = carried.stack
  return error
}

function died(module: string, code: number, cause: unknown): Failure {
  const name = module.slice(module.lastIndexOf('/') + 1)
  return engineFailure('compute-died', `The thread that ran ${name} ended (exit ${code}). The job was not done.`, {
    cause,
  })
}
