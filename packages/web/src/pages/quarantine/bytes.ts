/** Bytes for people: as text when they are text, and always as hexadecimal with offsets, as pointers like `@12` count them. */

export function asText(base64: string): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.fromBase64(base64))
    // Control characters other than line ends: a binary frame that happens to be valid UTF-8.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text) ? null : text
  } catch {
    return null
  }
}

const perLine = 16

export function asHex(base64: string): string {
  const hex = Uint8Array.fromBase64(base64).toHex()
  const lines = hex.match(new RegExp(`.{1,${perLine * 2}}`, 'g')) ?? []
  return lines
    .map((line, at) => `${String(at * perLine).padStart(5)}  ${line.replaceAll(/(..)/g, '$1 ').trim()}`)
    .join('\n')
}
