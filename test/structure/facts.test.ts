import { describe, expect, test } from 'vitest'
import { type FactStory, factProblems, factsInCode, factsInDoc, factsOfRooms } from '../../scripts/checks/facts.ts'
import { allSources, ROOT } from '../../scripts/source/repository.ts'

describe('facts', () => {
  test('types, publishers, facts.ts of the rooms and docs/facts.md tell the same', async () => {
    const [code, rooms] = [factsInCode(ROOT, allSources()), await factsOfRooms(ROOT, allSources())]
    expect(code.length).toBeGreaterThan(15)
    expect(factProblems(code, factsInDoc(ROOT), rooms)).toEqual([])
  })

  const fact: FactStory = { type: 'SiteMoved', fields: ['site'], publishedBy: ['subjects'], heardBy: ['fleet'] }
  const row = { ...fact, when: 'a site has another address' }
  const rooms = new Map([['subjects', ['SiteMoved']]])
  const nothing = new Map<string, string[]>()

  test.each([
    ['a fact that is not told of', [fact], [], rooms, /SiteMoved is missing/],
    ['a fact that is not there', [], [row], nothing, /contract has no fact SiteMoved/],
    ['other fields', [{ ...fact, fields: ['site', 'at'] }], [row], rooms, /fields are site, at, not site/],
    ['another publisher', [{ ...fact, publishedBy: [] }], [row], nothing, /nobody publishes it, not subjects/],
    ['a listener that is not told of', [fact], [{ ...row, heardBy: [] }], rooms, /fleet listens as well/],
    ['a room that forgot it in facts.ts', [fact], [row], new Map([['subjects', []]]), /subjects publishes SiteMoved/],
    ['a room that names another’s', [fact], [row], new Map([...rooms, ['api', ['SiteMoved']]]), /api does not publish/],
    ['a row without words', [fact], [{ ...row, when: '' }], rooms, /say when/],
  ])('%s is found', (_, code, doc, lists, says) => {
    expect(factProblems(code, doc, lists).join('\n')).toMatch(says)
  })
})
