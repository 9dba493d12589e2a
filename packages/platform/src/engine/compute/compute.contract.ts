import { Failure } from '@careloop/contract'
import { afterEach, describe, expect, it } from 'vitest'
import type { Compute } from '../ports.ts'
import type { JobInput } from './testdata/jobs.ts'

const JOBS = new URL('./testdata/jobs.ts', import.meta.url)

export function computeContract(name: string, make: (parts: { threads: number; maxWaiting: number }) => Compute): void {
  describe(`compute: ${name}`, () => {
    let compute: Compute
    const started = (threads = 2, maxWaiting = 16) => {
      compute = make({ threads, maxWaiting })
      return (input: JobInput, transfer?: ArrayBuffer[]) => compute.run<JobInput, unknown>(JOBS, input, transfer)
    }
    afterEach(() => compute.close())

    it('runs a TypeScript module elsewhere and gives back what it returns', async () => {
      const run = started()
      const { threadId } = await import('node:worker_threads')
      await expect(run({ do: 'double', value: 21 })).resolves.toBe(42)
      await expect(run({ do: 'thread' })).resolves.not.toBe(threadId)
    })

    it('moves buffers there and back instead of copying them', async () => {
      const run = started()
      const bytes = new Uint8Array(1_000_000)
      const back = run({ do: 'fill', bytes }, [bytes.buffer])
      expect(bytes.byteLength).toBe(0)
      const result = (await back) as { bytes: Uint8Array }
      expect(result.bytes).toHaveLength(1_000_000)
      expect(result.bytes.every((byte) => byte === 7)).toBe(true)
    })

    it('carries an error over, and a Failure as a Failure', async () => {
      const run = started()
      await expect(run({ do: 'throw' })).rejects.toMatchObject({ name: 'RangeError', message: 'thrown on a thread' })
      const failure = await run({ do: 'fail' }).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(Failure)
      expect(failure).toMatchObject({ code: 'seal-broken', pointer: '/a', kind: { status: 500 } })
      await expect(run({ do: 'unclonable' })).rejects.toMatchObject({ name: 'DataCloneError' })
    })

    it('refuses an input that cannot be cloned, and a module that is not there', async () => {
      const run = started(1)
      const input = { do: 'double', value: (() => {}) as unknown as number } as const
      await expect(run(input)).rejects.toMatchObject({ name: 'DataCloneError' })
      await expect(compute.run(new URL('./testdata/none.ts', import.meta.url), {})).rejects.toThrow(/none\.ts/)
      await expect(run({ do: 'double', value: 1 })).resolves.toBe(2)
    })

    it('fails the job of a thread that dies, and goes on with a new thread', async () => {
      const run = started(1)
      const jobs = [
        run({ do: 'exit' }),
        run({ do: 'double', value: 1 }),
        run({ do: 'uncaught' }),
        run({ do: 'thread' }),
      ]
      const outcomes = await Promise.allSettled(jobs)
      expect(outcomes[0]).toMatchObject({ reason: { code: 'compute-died' } })
      expect(outcomes[1]).toMatchObject({ value: 2 })
      expect(outcomes[2]).toMatchObject({ reason: { code: 'compute-died' } })
      expect(outcomes[3]).toMatchObject({ status: 'fulfilled' })
    })

    it('refuses more than may wait, and says so', async () => {
      const run = started(1, 2)
      const gate = new Int32Array(new SharedArrayBuffer(4))
      const held = [run({ do: 'wait', until: gate }), run({ do: 'thread' }), run({ do: 'thread' })]
      await expect(run({ do: 'thread' })).rejects.toMatchObject({ code: 'compute-overloaded', retryAfterSeconds: 5 })
      Atomics.store(gate, 0, 1)
      Atomics.notify(gate, 0)
      expect(await Promise.all(held)).toHaveLength(3)
    })

    it('finishes what it has taken on before it closes, and takes on nothing after', async () => {
      const run = started(1)
      const gate = new Int32Array(new SharedArrayBuffer(4))
      const held = [run({ do: 'wait', until: gate }), run({ do: 'double', value: 4 })]
      const closed = compute.close()
      await expect(run({ do: 'double', value: 1 })).rejects.toMatchObject({ code: 'compute-closed' })
      Atomics.store(gate, 0, 1)
      Atomics.notify(gate, 0)
      await closed
      expect((await Promise.all(held))[1]).toBe(8)
    })
  })
}
