/** What a password still needs, in words. Length is what counts (NIST SP 800-63B); no kinds of characters are asked for. */

export const minPasswordLength = 12

/** Pure. @param about words that are tried first: name, address, organisation */
export function passwordHint(typed: string, about: readonly string[]): string {
  const length = [...typed.normalize('NFKC')].length
  if (length === 0) return `At least ${minPasswordLength} characters. A few words that do not belong together do well.`
  const word = about
    .flatMap((each) => each.toLowerCase().split(/[^\p{L}\p{N}]+/u))
    .find((each) => each.length > 3 && typed.toLowerCase().includes(each))
  if (length < minPasswordLength) return `${minPasswordLength - length} more needed.`
  if (word !== undefined) return `Long enough. It holds “${word}”, which is tried first: add words of other things.`
  if (new Set(typed).size < 6) return 'Long enough, and the same few characters: use words.'
  return length < 20 ? 'Long enough. Another word makes it strong.' : 'Long and strong, unless it is a known phrase.'
}
