import { type FhirObject, type FhirValue, isList, isObject } from '../json/tree.ts'
import { Unreadable } from '../json/unreadable.ts'

export type Edit = { readonly kind: 'add' | 'replace'; readonly value: FhirValue } | { readonly kind: 'remove' }

/** What stands at the tokens. */
export function valueAt(document: FhirValue, tokens: readonly string[]): FhirValue {
  return tokens.reduce((value, token) => {
    const [name, found] = childOf(value, token)
    if (found === undefined || name === '-') throw missing()
    return found
  }, document)
}

/** A new document with the edit made; what is not on the way to it is shared with the old one, which stays as it was. */
export function edited(document: FhirValue, tokens: readonly string[], edit: Edit): FhirValue {
  const [token, ...below] = tokens
  if (token === undefined) {
    if (edit.kind === 'remove')
      throw new Unreadable('processing', 'patch-target', 'The whole resource cannot be removed by a patch.')
    return edit.value
  }
  if (below.length > 0) {
    const [name, found] = childOf(document, token)
    if (found === undefined || name === '-') throw missing()
    const child = edited(found, below, edit)
    return isList(document) ? document.with(Number(name), child) : { ...(document as FhirObject), [name]: child }
  }
  return isList(document) ? editedList(document, token, edit) : editedObject(document, token, edit)
}

function editedList(list: readonly FhirValue[], token: string, edit: Edit): FhirValue {
  const [name, found] = childOf(list, token)
  if (edit.kind === 'add') {
    const at = name === '-' ? list.length : Number(name)
    if (at > list.length) throw missing()
    return list.toSpliced(at, 0, edit.value)
  }
  if (found === undefined || name === '-') throw missing()
  return edit.kind === 'remove' ? list.toSpliced(Number(name), 1) : list.with(Number(name), edit.value)
}

function editedObject(object: FhirValue, token: string, edit: Edit): FhirValue {
  const [name, found] = childOf(object, token)
  if (edit.kind !== 'add' && found === undefined) throw missing()
  // A computed name is always a member of its own, also when it is `__proto__`.
  if (edit.kind !== 'remove') return { ...(object as FhirObject), [name]: edit.value }
  return Object.fromEntries(Object.entries(object as FhirObject).filter(([member]) => member !== name))
}

function childOf(value: FhirValue, token: string): readonly [string, FhirValue | undefined] {
  if (isList(value)) {
    if (token === '-') return [token, undefined]
    if (!/^(0|[1-9]\d{0,8})$/.test(token)) {
      throw new Unreadable(
        'processing',
        'patch-index',
        'A place in a list is a number without leading zeros, or - for its end.',
      )
    }
    return [token, value[Number(token)]]
  }
  if (!isObject(value)) throw missing()
  return [token, Object.hasOwn(value, token) ? value[token] : undefined]
}

function missing(): Unreadable {
  return new Unreadable(
    'processing',
    'patch-target',
    'There is nothing at this path: a patch makes no parents; read the resource again.',
  )
}
