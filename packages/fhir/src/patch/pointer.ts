import { Unreadable } from '../json/unreadable.ts'

/** Tokens of a JSON Pointer (RFC 6901), unescaped. `''` is the whole document. */
export function tokensOf(pointer: unknown, words: string): readonly string[] {
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/')) || /~(?![01])/.test(pointer)) {
    throw new Unreadable('invalid', 'patch-pointer', `${words} must be a JSON Pointer, such as /name/0/family.`)
  }
  if (pointer === '') return []
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** FHIRPath of what a pointer names; a token that is neither an element's name nor an index is not repeated, for it may be a value. */
export function pathOf(root: string, tokens: readonly string[]): string {
  return tokens.reduce((path, token) => {
    if (/^\d+$/.test(token)) return `${path}[${token}]`
    return `${path}.${/^_?[a-z][A-Za-z0-9]{0,63}$/.test(token) ? token : '?'}`
  }, root)
}
