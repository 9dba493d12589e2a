import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { masterKey } from '../../engine/index.ts'
import { escrowForm, verifyTyped } from './escrow-form.ts'

const key = (seed: number) => masterKey(Buffer.alloc(32, seed))
/** What somebody types from the paper: the id, then the lines of that key. */
const typedOf = (form: string, id: string): string => {
  const lines = form.split('\n')
  const at = lines.findIndex((line) => line.startsWith(`Key ${id}`))
  return [id, ...lines.slice(at + 2, at + 5)].join('\n')
}

describe('key escrow', () => {
  it('prints every key with its id, and takes what is typed from the paper, with or without the checks', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const held = [masterKey(bytes), key(9)]
        const form = escrowForm(held, '2026-01-05')
        for (const [index, { id }] of held.entries()) {
          const typed = typedOf(form, id)
          expect(verifyTyped(typed, held)).toEqual({ fits: true, id, inUse: index === 0 })
          expect(verifyTyped(typed.replace(/ *#..$/gm, ''), held)).toMatchObject({ fits: true })
        }
      }),
    )
  })

  it('says which line is mistyped, and quotes nothing of the key', () => {
    const held = [key(7)]
    const typed = typedOf(escrowForm(held, '2026-01-05'), held[0]!.id).split('\n')
    const slip = typed.map((line, at) => (at === 2 ? line.replace(/[A-Za-z]/, (c) => (c === 'B' ? 'C' : 'B')) : line))
    const told = verifyTyped(slip.join('\n'), held)
    expect(told).toMatchObject({ fits: false, says: expect.stringContaining('Line 2') })
    expect(JSON.stringify(told)).not.toContain('BwcH')
    expect(verifyTyped(typed.slice(0, 3).join('\n'), held)).toMatchObject({ says: expect.stringContaining('Line 3') })
    expect(verifyTyped('hello', held)).toMatchObject({ says: expect.stringContaining('first line') })
    expect(verifyTyped(typed.join('\n'), [key(8)])).toMatchObject({ says: expect.stringContaining('holds no key') })
  })
})
