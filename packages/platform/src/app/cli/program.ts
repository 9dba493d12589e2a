/** `careloop program activate|list`. */

import { existsSync } from 'node:fs'
import { vitalSignNotice, watchesVitalSigns } from '@careloop/contract'
import type { OwnedRule, Program } from '@careloop/rules'
import { readProgram, readPrograms } from '../../alerting/index.ts'
import { appFailure } from '../errors.ts'
import type { Command, Options } from '../main.ts'
import type { Rooms } from '../rooms.ts'
import { shippedPrograms } from '../shipped-programs.ts'
import { tenantOf, withRooms } from './with-rooms.ts'

export const programCommand: Command = async (config, [verb, which], options) => {
  if (verb === 'activate' && which !== undefined) {
    const program = await findProgram(which) // before the database is opened: a wrong file needs none
    await withRooms(config, (rooms) => activate(rooms, program, options))
  } else if (verb === 'list') await withRooms(config, (rooms) => list(rooms, options))
  else throw appFailure('usage', 'careloop program activate FILE|CODE, or list. See: careloop help')
}

/** @throws Failure `program-invalid`, `usage` when there is neither such a file nor such a code */
export async function findProgram(which: string, folder = shippedPrograms): Promise<Program> {
  if (existsSync(which)) return readProgram(which)
  const shipped = await readPrograms(folder)
  const found = shipped.find((program) => program.code === which)
  if (found) return found
  const codes = shipped.map((program) => program.code).join(', ')
  throw appFailure('usage', `There is neither a file nor a program ${which}. Shipped programs: ${codes}`)
}

async function activate(rooms: Rooms, program: Program, options: Options): Promise<void> {
  const by = await tenantOf(rooms, options)
  const { activated, keptEdits, leftOff } = await rooms.alerting.activate(by, program)
  console.log(`program  ${program.code}: ${program.title}`)
  console.log(
    activated === 0 ? 'already active as it is' : `${activated} of ${program.rules.length} rules are new or changed`,
  )
  if (keptEdits.length > 0) console.log(`edited here, and left as they are: ${keptEdits.join(', ')}`)
  if (leftOff.length > 0) console.log(`switched off here, and left off: ${leftOff.join(', ')}`)
  const installed = (await rooms.alerting.programs(by.tenant)).find(({ head }) => head.code === program.code)
  for (const { active, definition } of installed?.rules ?? []) if (active) console.log(`  ${inOneLine(definition)}`)
  console.log(`\n${program.notice}`)
  if (program.rules.some(watchesVitalSigns)) console.log(`\n${vitalSignNotice}`)
}

const inOneLine = ({ title, priority, owner, backup, limitMs }: OwnedRule): string =>
  `${priority.padEnd(6)} ${title}: ${owner}, then ${backup}, within ${limitMs / 60_000} min`

async function list(rooms: Rooms, options: Options): Promise<void> {
  const by = await tenantOf(rooms, options)
  const installed = await rooms.alerting.programs(by.tenant)
  const rows = installed.map(({ head, rules }) => ({
    ...{ program: head.code, title: head.title, for: head.subjectKind },
    rules: `${rules.filter((rule) => rule.active).length} of ${rules.length} active`,
  }))
  const known = new Set(installed.map(({ head }) => head.code))
  for (const { code, title, subjectKind, rules } of await readPrograms(shippedPrograms))
    if (!known.has(code)) rows.push({ program: code, title, for: subjectKind, rules: `${rules.length}, not activated` })
  console.table(rows)
}
