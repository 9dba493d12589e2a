import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findProgram } from './program.ts'

test('careloop program > a code is looked up among the programs that come with Careloop', async () => {
  expect(await findProgram('vaccine-fridge')).toMatchObject({ code: 'vaccine-fridge', subjectKind: 'asset' })
})

test('careloop program > what is neither a file nor a code is refused with the codes there are', async () => {
  await expect(findProgram('vaccine-freezer')).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('hypertension-rpm, vaccine-fridge'),
  })
})

test('careloop program > a file that is no program is refused with where it is wrong', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'careloop-program-'))
  try {
    const path = join(folder, 'mine.yaml')
    await writeFile(path, 'program: mine\ntitle: Mine\n')
    await expect(findProgram(path)).rejects.toMatchObject({ code: 'program-invalid' })
  } finally {
    await rm(folder, { recursive: true })
  }
})
