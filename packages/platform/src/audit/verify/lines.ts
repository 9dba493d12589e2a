/** Lines of a file as bytes, without turning the whole into text: most are hashed as they stand. */
const LINE_END = 0x0a

export async function* linesOf(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<readonly Buffer[]> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes =
      typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const all = rest.byteLength === 0 ? bytes : Buffer.concat([rest, bytes])
    const lines: Buffer[] = []
    let start = 0
    for (let end = all.indexOf(LINE_END); end >= 0; end = all.indexOf(LINE_END, start)) {
      if (end > start) lines.push(all.subarray(start, end))
      start = end + 1
    }
    rest = all.subarray(start)
    yield lines
  }
  if (rest.byteLength > 0) yield [rest]
}
