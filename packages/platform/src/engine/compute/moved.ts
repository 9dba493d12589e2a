const transfers = new WeakMap<object, readonly ArrayBuffer[]>()

/**
 * For `compute` modules: marks buffers of a result to be handed over to the caller's thread instead of copied.
 * @param buffers whole ArrayBuffers; a small `Buffer` may be a slice of Node's shared pool, which cannot be moved
 * @example export default (input: Input) => { const bytes = new Uint8Array(n); return moved({ bytes }, [bytes.buffer]) }
 */
export function moved<T extends object>(result: T, buffers: readonly ArrayBuffer[]): T {
  transfers.set(result, buffers)
  return result
}

/** The buffers that `moved` marked on a result. */
export function movedBuffers(result: unknown): readonly ArrayBuffer[] {
  return typeof result === 'object' && result !== null ? (transfers.get(result) ?? []) : []
}
