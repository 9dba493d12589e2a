import type { Prefix, Span } from './search.ts'

/** FHIR R4 search 3.1.1.4.6: the span that the resource says against the span that was asked for. */
export function fitsSpan(held: Span, wanted: Span & { readonly prefix: Prefix }): boolean {
  const isWithin = wanted.from <= held.from && held.to <= wanted.to
  switch (wanted.prefix) {
    case 'eq':
      return isWithin
    case 'ne':
      return !isWithin
    case 'gt':
      return held.to > wanted.to
    case 'lt':
      return held.from < wanted.from
    case 'ge':
      return held.to > wanted.to || isWithin
    case 'le':
      return held.from < wanted.from || isWithin
    case 'sa':
      return held.from >= wanted.to
    case 'eb':
      return held.to <= wanted.from
    case 'ap':
      return held.from < wanted.to && held.to > wanted.from
  }
}
