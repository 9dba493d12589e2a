/** Programs as files: `programs/*.yaml` of Careloop, or an organisation's own. */
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Program, parseProgram } from '@careloop/rules'

/** Reads one file of a program. @throws Failure `program-invalid` */
export const readProgram = async (path: string): Promise<Program> =>
  parseProgram(await readFile(path, 'utf8'), basename(path))

/** Reads every `*.yaml` of a folder that is no timeline. @throws Failure `program-invalid` */
export async function readPrograms(folder: string): Promise<Program[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'))
  return Promise.all(names.sort().map((name) => readProgram(join(folder, name))))
}
