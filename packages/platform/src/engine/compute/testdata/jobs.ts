/** A compute module for the contract suite: one job of each kind. */
import { threadId } from 'node:worker_threads'
import { Failure } from '@careloop/contract'
import { moved } from '../moved.ts'

export type JobInput =
  | { readonly do: 'double'; readonly value: number }
  | { readonly do: 'fill'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly do: 'wait'; readonly until: Int32Array<SharedArrayBuffer> }
  | { readonly do: 'throw' | 'fail' | 'exit' | 'uncaught' | 'unclonable' | 'thread' }

export default async function run(input: JobInput): Promise<unknown> {
  switch (input.do) {
    case 'double':
      return input.value * 2
    case 'fill':
      input.bytes.fill(7)
      return moved({ bytes: input.bytes }, [input.bytes.buffer])
    case 'wait':
      // Blocks the thread, as sealing does, until the test opens the gate.
      Atomics.wait(input.until, 0, 0)
      return threadId
    case 'throw':
      throw new RangeError('thrown on a thread')
    case 'fail':
      throw new Failure('seal-broken', { disposition: 'bug', status: 500, issue: 'exception' }, 'said on a thread', {
        pointer: '/a',
      })
    case 'exit':
      process.exit(3)
      break
    case 'uncaught':
      setImmediate(() => {
        throw new Error('nobody catches this')
      })
      return new Promise(() => {})
    case 'unclonable':
      return () => {}
    case 'thread':
      return threadId
  }
  return undefined
}
