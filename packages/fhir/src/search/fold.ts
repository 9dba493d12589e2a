/** A text as strings are compared in search: without case, accents, and differences of white space. FHIR R4 search 3.1.1.4.8. */
export const fold = (text: string): string => {
  if (isPlain.test(text)) return text.toLowerCase().replace(/ {2,}/g, ' ').trim()
  return text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/\s+/gu, ' ')
    .trim()
}

const isPlain = /^[\x20-\x7e]*$/
