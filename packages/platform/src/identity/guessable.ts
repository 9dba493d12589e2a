/**
 * Whether a password is among what is tried first (NIST SP 800-63B 3.1.1.2): common and leaked ones with their usual disguises,
 * repeats, rows of keys, dates, and words that belong to the person or the service. No rules of composition, no expiry.
 */
import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common'

/** 49,233 passwords by how often they were found in leaks. The list of diceware words is left out: phrases of words are good. */
const passwords = { 'passwords-common': dictionary['passwords-common'] }
let guesser: ZxcvbnFactory | undefined

/** Below 10^8 guesses: what a stolen hash would give up within days, at 30 ms a guess and some dozen machines. */
const enoughGuesses = 1e8
/** Longer ones are judged by their beginning: judging costs more than linear time. */
const judgedLength = 72
/** What is left when words about the person are taken out must carry the password. */
const ownLength = 8

export type Weakness = 'common' | 'about-you'

/** Pure. @param words what a guesser knows: name, address, organisation, this service */
export function weaknessOf(password: string, words: readonly string[]): Weakness | null {
  const judged = password.normalize('NFKC').slice(0, judgedLength)
  const known = [...new Set(words.flatMap(partsOf))]
  if (lettersOf(withoutWords(judged, known)).length < ownLength && lettersOf(judged).length > 0)
    if (known.some((word) => judged.toLowerCase().includes(word))) return 'about-you'
  guesser ??= new ZxcvbnFactory({ dictionary: passwords, graphs: adjacencyGraphs })
  return guesser.check(judged, known).guesses < enoughGuesses ? 'common' : null
}

/** `Nora.Nurse@clinic.example`: itself, `nora`, `nurse`, `clinic`, `example`. */
function partsOf(text: string): string[] {
  const whole = text.normalize('NFKC').trim().toLowerCase()
  return [whole, ...whole.split(/[^\p{L}\p{N}]+/u)].filter((part) => part.length >= 3)
}

const withoutWords = (text: string, words: readonly string[]): string =>
  [...words].sort((a, b) => b.length - a.length).reduce((rest, word) => rest.replaceAll(word, ' '), text.toLowerCase())

/** Years and counts behind a name are no password of their own. */
const lettersOf = (text: string): string => text.replaceAll(/[^\p{L}]/gu, '')
