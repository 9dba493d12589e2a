/** Entry of a compute thread: loads a job's module, runs its default export, sends back the result or the error. */
import { parentPort } from 'node:worker_threads'
import { Failure } from '@careloop/contract'
import type { CarriedError, JobMessage, ResultMessage } from './messages.ts'
import { movedBuffers } from './moved.ts'

type JobModule = { readonly default?: (input: unknown) => unknown }

const port = parentPort
if (!port) throw new Error('compute/worker.ts runs on a worker thread only')

port.on('message', async (job: JobMessage) => {
  let reply: ResultMessage
  try {
    const module = (await import(job.module)) as JobModule
    if (typeof module.default !== 'function') throw new TypeError(`${job.module} has no default export to run`)
    const output = await module.default(job.input)
    port.postMessage({ id: job.id, output } satisfies ResultMessage, [...movedBuffers(output)])
    return
  } catch (error) {
    reply = { id: job.id, error: carry(error) }
  }
  port.postMessage(reply)
})

function carry(error: unknown): CarriedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message } = error
  const base: CarriedError = error.stack === undefined ? { name, message } : { name, message, stack: error.stack }
  if (!(error instanceof Failure)) return base
  const { code, kind, pointer, retryAfterSeconds } = error
  return {
    ...base,
    failure: { code, kind, pointer, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) },
  }
}
