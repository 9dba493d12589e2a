import { NewSubject, type SubjectUpdate } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { aFridge, aPatient, byTest, mrnSystem, testSubjects } from './fixtures.ts'
import type { Subjects } from './subjects.ts'

let ground: TestEngine
let subjects: Subjects
beforeAll(async () => {
  ground = await testEngine()
  subjects = testSubjects(ground.engine)
})
afterAll(() => ground?.stop())

const refused = (code: string, pointer: string) => expect.objectContaining({ code, pointer })

test('subjects > what was taken in is read back, and found by name, identifier, telephone and e-mail', async () => {
  const by = byTest(await ground.tenant())
  const made = await subjects.create(by, aPatient({ given: 'Øyvind', family: "O'Bríen-Łuczak", mrn: 'ab 00 12' }))
  await subjects.create(by, aPatient({ given: 'Somebody', family: 'Else', mrn: 'other' }))
  expect(await subjects.subject(by, made.id)).toMatchObject({
    kind: 'patient',
    display: "O'Bríen-Łuczak, Øyvind",
    birthDate: '1947-02-11',
    timeZone: 'Europe/Vienna',
    version: 1,
    resource: { id: made.id, birthDate: '1947-02-11' },
  })
  for (const text of ['oyv', 'OBRIEN', "o'br luc", 'Łucz', '1947-02 oyvind', 'obstgartl oyv'])
    expect([text, (await subjects.find(by.tenant, text)).map((each) => each.id)]).toEqual([text, [made.id]])
  for (const text of ['yvind', 'oyvind else', '', '- '])
    expect([text, await subjects.find(by.tenant, text)]).toEqual([text, []])
  const search = { limit: 10 }
  for (const exact of [{ identifier: { system: mrnSystem, value: 'AB0012' } }, { ids: [made.id] }, { text: 'oyvind' }])
    expect((await subjects.search(by, { ...search, ...exact })).map((each) => each.id)).toEqual([made.id])
  expect(await subjects.search(by, { ...search, phone: '0043 664/7788990' })).toHaveLength(2)
  expect(await subjects.search(by, { ...search, email: ' kuni.zwoelf@EXAMPLE.org' })).toHaveLength(2)
  expect(await subjects.search(by, { ...search, identifier: { system: 'urn:other', value: 'AB0012' } })).toEqual([])
})

test('subjects > an update answers the newest version only, and search follows it', async () => {
  const by = byTest(await ground.tenant())
  const made = await subjects.create(by, aPatient({ family: 'Vorher' }))
  const update: SubjectUpdate = { ...aPatient({ family: 'Nachher' }), timeZone: 'UTC', version: 1 }
  const updated = await subjects.update(by, made.id, update)
  expect(updated).toMatchObject({ version: 2, timeZone: 'UTC', display: 'Nachher, Kunigunde' })
  expect(await subjects.find(by.tenant, 'vorher')).toEqual([])
  expect(await subjects.find(by.tenant, 'nachher')).toMatchObject([{ id: made.id, version: 2 }])
  await expect(subjects.update(by, made.id, update)).rejects.toEqual(refused('subject-moved', '/body/version'))
  await expect(subjects.update(by, made.id, { ...aFridge(), version: 2 })).rejects.toEqual(
    refused('subject-kind-fixed', '/body/resource/resourceType'),
  )
  const nobody = ground.engine.ids.uuid()
  await expect(subjects.update(by, nobody, update)).rejects.toEqual(refused('subject-not-found', '/params/id'))
})

test('subjects > an identifier names one subject; a taken one is refused with a pointer and without its value', async () => {
  const by = byTest(await ground.tenant())
  await subjects.create(by, aPatient({ mrn: 'M-1' }))
  const again = aPatient({ mrn: 'm-1' })
  const error: Error = await subjects.create(by, again).then(
    () => new Error('was not refused'),
    (cause: Error) => cause,
  )
  expect(error).toEqual(refused('identifier-taken', '/body/resource/identifier/0'))
  expect(error.message).not.toMatch(/m-1/i)
  expect(await subjects.list(by, { limit: 10 })).toMatchObject({ items: [{}], next: null })
  const elsewhere = byTest(await ground.tenant())
  await expect(subjects.create(elsewhere, again)).resolves.toMatchObject({ version: 1 })
})

test('subjects > places and sizes are checked with a pointer', async () => {
  const by = byTest(await ground.tenant())
  const [site, team] = [ground.engine.ids.uuid(), ground.engine.ids.uuid()]
  await expect(subjects.create(by, { ...aPatient(), site })).rejects.toEqual(refused('site-not-found', '/body/site'))
  await expect(subjects.create(by, { ...aPatient(), team })).rejects.toEqual(
    refused('care-team-not-found', '/body/team'),
  )
  const long = aPatient()
  const large = { ...long, resource: { ...long.resource, note: 'x'.repeat(70_000) } }
  await expect(subjects.create(by, large)).rejects.toEqual(refused('subject-too-large', '/body/resource'))
  await expect(subjects.subject(by, site)).rejects.toEqual(refused('subject-not-found', '/params/id'))
  expect(await subjects.list(by, { limit: 10 })).toEqual({ items: [], next: null })
})

test('subjects > the schema refuses a zone that is no IANA name, and a resource of no kind', () => {
  const paths = (value: unknown) => NewSubject.safeParse(value).error?.issues.map((issue) => issue.path.join('/'))
  expect(paths({ ...aPatient(), timeZone: '+01:00' })).toEqual(['timeZone'])
  expect(paths({ ...aPatient(), timeZone: 'Europe/Wien' })).toEqual(['timeZone'])
  expect(paths({ ...aPatient(), timeZone: 'America/Argentina/Buenos_Aires' })).toBeUndefined()
  expect(paths({ timeZone: 'UTC', resource: { resourceType: 'Group' } })).toEqual(['resource/resourceType'])
  expect(paths({ timeZone: 'UTC', resource: { resourceType: 'Patient', name: [] } })).toEqual(['resource/name'])
})

test('subjects > a list is paged in the order of creation and filtered', async () => {
  const by = byTest(await ground.tenant())
  const site = await subjects.createSite(by, { name: 'North', timeZone: 'UTC' })
  const team = await subjects.createCareTeam(by, { name: 'Hearts', site: site.id, members: ['nora', 'nora'] })
  expect(team.members).toEqual(['nora'])
  const ids: string[] = []
  for (const wanted of [aPatient(), { ...aFridge(), site: site.id }, { ...aPatient(), team: team.id }])
    ids.push((await subjects.create(by, wanted)).id)
  const first = await subjects.list(by, { limit: 2 })
  expect([first.items.map((each) => each.id), first.next]).toEqual([ids.slice(0, 2), ids[1]])
  const second = await subjects.list(by, { limit: 2, after: first.next! })
  expect([second.items.map((each) => each.id), second.next]).toEqual([[ids[2]], null])
  expect((await subjects.list(by, { limit: 9, kind: 'asset' })).items).toMatchObject([{ id: ids[1], site: site.id }])
  expect((await subjects.list(by, { limit: 9, site: site.id })).items).toMatchObject([{ id: ids[1] }])
  expect((await subjects.list(by, { limit: 9, team: team.id })).items).toMatchObject([{ id: ids[2], team: team.id }])
})

test('sites and care teams > names are unique in an organisation; members work here', async () => {
  const by = byTest(await ground.tenant())
  const site = await subjects.createSite(by, { name: 'North', timeZone: 'UTC' })
  await expect(subjects.createSite(by, { name: 'North', timeZone: 'UTC' })).rejects.toEqual(
    refused('site-name-taken', '/body/name'),
  )
  const team = await subjects.createCareTeam(by, { name: 'Hearts', members: [] })
  await expect(subjects.createCareTeam(by, { name: 'Hearts', members: [] })).rejects.toEqual(
    refused('care-team-name-taken', '/body/name'),
  )
  await expect(subjects.setCareTeamMembers(by, team.id, ['ben', 'stranger'])).rejects.toEqual(
    refused('staff-not-found', '/body/members/1'),
  )
  await subjects.setCareTeamMembers(by, team.id, ['ben'])
  expect(await subjects.careTeams(by.tenant)).toEqual([{ id: team.id, name: 'Hearts', site: null, members: ['ben'] }])
  await expect(subjects.setCareTeamMembers(by, site.id, [])).rejects.toEqual(
    refused('care-team-not-found', '/params/id'),
  )
  expect(await subjects.sites(by.tenant)).toEqual([site])
})
