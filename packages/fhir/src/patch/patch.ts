import { type FhirObject, type FhirTree, type FhirValue, isList, isObject } from '../json/tree.ts'
import { Unreadable } from '../json/unreadable.ts'
import { edited, valueAt } from './edit.ts'
import { pathOf, tokensOf } from './pointer.ts'
import { isSame } from './same.ts'

export const jsonPatchType = 'application/json-patch+json'

/** How much a patch may do: without bounds ten copies of a copy make a thousand resources of one. */
const maxOperations = 10_000
const maxNodes = 1_000_000
const maxDepth = 100

/**
 * The tree after a JSON Patch (RFC 6902): all its operations, or `Unreadable` with the operation's number and path and nothing
 * changed. `operations` is what `parseJson` made of the body. The type and the id of a resource are no patch's to change.
 */
export function applyPatch(tree: FhirTree, operations: FhirValue): FhirTree {
  const after = patchJson(tree, operations, tree.resourceType)
  if (!isObject(after) || after.resourceType !== tree.resourceType || after.id !== tree.id) {
    throw new Unreadable('business-rule', 'patch-identity', 'A patch cannot change the type or the id of a resource.')
  }
  return after as FhirTree
}

/** The same for any JSON; `root` is what paths in refusals start with. */
export function patchJson(document: FhirValue, operations: FhirValue, root = '$this'): FhirValue {
  if (!isList(operations)) throw new Unreadable('invalid', 'patch', 'A JSON Patch is a list of operations.')
  if (operations.length > maxOperations) {
    throw new Unreadable('too-costly', 'patch-size', `A patch has at most ${maxOperations} operations.`)
  }
  let nodes = 0
  const weigh = (tokens: readonly string[], value: FhirValue) => {
    nodes += weightOf(value, tokens.length)
    if (nodes > maxNodes)
      throw new Unreadable('too-costly', 'patch-size', 'The patch writes too much: send the resource instead.')
    return value
  }
  return operations.reduce((before, operation, at) => {
    try {
      return step(before, operation, weigh)
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      const { code, rule } = error.issue
      throw new Unreadable(code, rule, `Operation ${at + 1} of the patch: ${error.message}`, whereOf(root, operation))
    }
  }, document)
}

type Weigh = (tokens: readonly string[], value: FhirValue) => FhirValue

function step(document: FhirValue, operation: FhirValue, weigh: Weigh): FhirValue {
  if (!isObject(operation)) throw new Unreadable('invalid', 'patch-op', 'An operation is a JSON object.')
  const tokens = tokensOf(operation.path, 'path')
  switch (operation.op) {
    case 'add':
    case 'replace':
      return edited(document, tokens, { kind: operation.op, value: weigh(tokens, newValue(operation)) })
    case 'remove':
      return edited(document, tokens, { kind: 'remove' })
    case 'test':
      if (isSame(valueAt(document, tokens), newValue(operation))) return document
      throw new Unreadable(
        'processing',
        'patch-test',
        'The value here is not the one that the patch tests for: read the resource again.',
      )
    case 'copy':
      return edited(document, tokens, { kind: 'add', value: weigh(tokens, valueAt(document, fromOf(operation))) })
    case 'move':
      return moved(document, fromOf(operation), tokens, weigh)
    default:
      throw new Unreadable('invalid', 'patch-op', 'op must be add, remove, replace, move, copy or test.')
  }
}

function moved(document: FhirValue, from: readonly string[], to: readonly string[], weigh: Weigh): FhirValue {
  const value = valueAt(document, from)
  const isInside = from.every((token, at) => to[at] === token)
  if (isInside && from.length === to.length) return document
  if (isInside) throw new Unreadable('processing', 'patch-move', 'A value cannot be moved into itself.')
  return edited(edited(document, from, { kind: 'remove' }), to, { kind: 'add', value: weigh(to, value) })
}

function fromOf(operation: FhirObject): readonly string[] {
  return tokensOf(operation.from, 'from')
}

function newValue(operation: FhirObject): FhirValue {
  if (operation.value === undefined) throw new Unreadable('invalid', 'patch-op', 'This operation needs a value.')
  return operation.value
}

function weightOf(value: FhirValue, depth: number): number {
  if (depth > maxDepth) throw new Unreadable('too-costly', 'depth', `The patch nests deeper than ${maxDepth}.`)
  if (isList(value)) return value.reduce((sum: number, item) => sum + weightOf(item, depth + 1), 1)
  if (!isObject(value)) return 1
  return Object.values(value).reduce((sum: number, item) => sum + weightOf(item, depth + 1), 1)
}

function whereOf(root: string, operation: FhirValue): string | undefined {
  if (!isObject(operation) || typeof operation.path !== 'string') return undefined
  return operation.path.startsWith('/') ? pathOf(root, operation.path.slice(1).split('/')) : root
}
