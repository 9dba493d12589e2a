import type { Resource } from '../resource.ts'
import { canonicalQuantity } from '../ucum/index.ts'
import { referenceOf, stringsOf, tokensOf, wordsOf } from './elements.ts'
import { fold } from './fold.ts'
import { readerOf } from './path.ts'
import { measuredOf, ucum } from './quantity.ts'
import type { SearchParameter, SortBy } from './search.ts'
import { spanOfValue } from './time.ts'

/** What a resource is sorted by; null = it says nothing, and comes last. */
export type SortValue = number | string | null

/** By its least value going up, by its greatest going down. FHIR R4 search 3.1.1.5.1. */
export function sortValueOf(resource: Resource, { parameter, isDescending }: SortBy): SortValue {
  let found: SortValue = null
  readerOf(resource.resourceType, parameter.expression)(resource, (element) => {
    for (const value of valuesOf(element, parameter)) {
      const isBetter = found === null || (isDescending ? value > found : value < found)
      if (isBetter) found = value
    }
  })
  return found
}

function valuesOf(element: unknown, parameter: SearchParameter): readonly (number | string)[] {
  switch (parameter.type) {
    case 'date': {
      const span = spanOfValue(element)
      return span === null ? [] : [span.from]
    }
    case 'quantity': {
      const measured = measuredOf(element)
      if (measured === null) return []
      const canonical = measured.system === ucum ? canonicalQuantity(measured.low, measured.code ?? '') : null
      return [canonical?.value ?? measured.low]
    }
    case 'number':
      return typeof element === 'number' ? [element] : []
    case 'token': {
      const words = wordsOf(element).map(fold)
      return words.length > 0 ? words : tokensOf(element).map(({ code }) => fold(code))
    }
    case 'string':
      return stringsOf(element).map(fold)
    default: {
      const reference = referenceOf(element)
      return reference === undefined ? [] : [reference]
    }
  }
}
