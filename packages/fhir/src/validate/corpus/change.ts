/** A copy of a resource with one element changed. `name[0].family`; undefined takes it away. */
export function changed(resource: object, path: string, to: unknown): Record<string, unknown> {
  const copy = structuredClone(resource) as Record<string, unknown>
  // A path with a space is one odd name.
  const steps = path.includes(' ') ? [path] : path.split(/[.[\]]/).filter((step) => step !== '')
  let at: Record<string, unknown> | unknown[] = copy
  for (const step of steps.slice(0, -1)) at = (at as Record<string, unknown>)[step] as Record<string, unknown>
  const last = steps.at(-1)!
  if (to !== undefined) (at as Record<string, unknown>)[last] = to
  else if (Array.isArray(at)) at.splice(Number(last), 1)
  else delete at[last]
  return copy
}
