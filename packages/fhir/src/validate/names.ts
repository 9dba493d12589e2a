import type { Resource } from '../resource.ts'
import { type Loose, list, loose } from './invariant.ts'

/**
 * What the names inside a resource stand for, each map made once for a validation: a resource may contain thousands, and a
 * transaction hold tens of thousands. Never kept longer: who validates may change the resource and validate again.
 */
export class Names {
  private readonly contained = new Map<Resource, ReadonlyMap<unknown, Loose>>()
  private readonly pointers = new Map<Resource, ReadonlySet<string>>()
  private readonly entries = new Map<Resource, ReadonlyMap<unknown, Loose>>()

  /** A contained resource by its id; the first when two share it. */
  containedIn(root: Resource, id: string): Loose | undefined {
    const known = this.contained.get(root) ?? byFirst(list(root.contained).map(loose), (resource) => resource.id)
    this.contained.set(root, known)
    return known.get(id)
  }

  /** The resource of a Bundle's entry by its full URL. */
  entryOf(bundle: Resource, url: string): Loose | undefined {
    const known = this.entries.get(bundle) ?? byFirst(list(bundle.entry).map(loose), (entry) => entry.fullUrl)
    this.entries.set(bundle, known)
    const entry = known.get(url)
    return entry === undefined ? undefined : loose(entry.resource)
  }

  /** True when some value in the resource is exactly `#id`: a reference, canonical or URI. */
  pointsTo(resource: Resource, id: string): boolean {
    let known = this.pointers.get(resource)
    if (known === undefined) {
      const found = new Set<string>()
      addPointers(resource, found)
      known = found
      this.pointers.set(resource, known)
    }
    return known.has(`#${id}`)
  }
}

function byFirst(items: readonly Loose[], key: (item: Loose) => unknown): ReadonlyMap<unknown, Loose> {
  const found = new Map<unknown, Loose>()
  for (const item of items) if (!found.has(key(item))) found.set(key(item), item)
  return found
}

function addPointers(value: unknown, into: Set<string>): void {
  if (typeof value === 'string') {
    if (value.startsWith('#')) into.add(value)
  } else if (typeof value === 'object' && value !== null) {
    for (const key in value) addPointers((value as Loose)[key], into)
  }
}
