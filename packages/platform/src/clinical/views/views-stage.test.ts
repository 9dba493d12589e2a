import { expect, test } from 'vitest'
import { testEngine } from '../../engine/testing/index.ts'
import { aPatient, byTest } from '../../subjects/fixtures.ts'
import { testClinical } from '../fixtures.ts'
import { viewsCursor } from './follow-views.ts'
import { ownViews } from './own-views.ts'
import { takeInSubjects } from './take-in.ts'
import { clinicalViewsStage } from './views-stage.ts'

test('clinical views > what was there is caught up with, what comes is followed, one process at a time', async () => {
  const ground = await testEngine()
  const { engine } = ground
  const tenant = await ground.tenant()
  const by = byTest(tenant)
  const { clinical, subjects } = testClinical(engine, { takeIn: takeInSubjects(engine) })
  const keeping = { clinical, views: ownViews(engine, clinical) }
  const before = await subjects.create(by, aPatient())
  // Its fact is gone: an installation that was there before its views were.
  await engine.db.pool.query('delete from engine.fact')
  const stops = [await clinicalViewsStage(keeping).start(engine), await clinicalViewsStage(keeping).start(engine)]
  const versionOf = (type: string, id: string) =>
    clinical.read(by, type, id).then(
      ({ version }) => version,
      () => 0,
    )
  await expect.poll(() => versionOf('Patient', before.id), { timeout: 15_000 }).toBe(1)
  await expect.poll(() => versionOf('Organization', tenant), { timeout: 15_000 }).toBe(1)
  const { id } = await subjects.create(by, aPatient())
  await expect.poll(() => versionOf('Patient', id), { timeout: 15_000 }).toBe(1)
  await expect.poll(() => engine.db.cursor(viewsCursor), { timeout: 15_000 }).not.toBe('0')
  for (const stop of stops) await stop()
  expect(await versionOf('Patient', before.id)).toBe(1)
  await ground.stop()
}, 60_000)
