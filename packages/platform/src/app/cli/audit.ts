/** `careloop audit`: the public key, an export, its verification without any database, the proof of one entry, a new key. */
import { createReadStream, createWriteStream, existsSync, readFileSync, statSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import {
  beginAnew,
  exportTrail,
  type Finding,
  fhirTrail,
  findKeyFile,
  NO_LINK,
  openSigningKey,
  type Proof,
  proveEntry,
  readSinkRecords,
  type SigningKey,
  type VerifyReport,
  verifyExport,
  wrongWithProof,
} from '../../audit/index.ts'
import type { Config } from '../config.ts'
import { appFailure } from '../errors.ts'
import type { Command, Options } from '../main.ts'
import { need, tenantOf, withRooms } from './with-rooms.ts'

const USAGE = `careloop audit key                            the public key by which everybody can verify
careloop audit rotate                         a new key: announced by the next checkpoint, signing from the one after
careloop audit export --out FILE [--from TIME] [--to TIME] [--tenant NAME] [--form fhir]
careloop audit verify FILE --key KEY [--sink PATH,PATH] [--restored FIRST-LAST]
careloop audit resume --after N               numbers up to N are taken: for a sink that cannot be asked (syslog, HTTPS)
careloop audit begin-anew --reason "..."      a new key, where the old one is lost: said in its first checkpoint
careloop audit prove ENTRY                    prints a proof; verify checks it too`

export const auditCommand: Command = async (config, [verb, what], options) => {
  if (verb === 'key') console.log((await (await keyOf(config)).read()).signer.verifierKey)
  else if (verb === 'rotate') await rotate(await keyOf(config))
  else if (verb === 'resume') await resume(await keyOf(config), options)
  else if (verb === 'begin-anew') await anew(config, need(options, 'reason'))
  else if (verb === 'export') await withRooms(config, (rooms) => writeExport(rooms, options))
  else if (verb === 'prove' && what !== undefined && /^\d{1,18}$/.test(what))
    await withRooms(config, async ({ engine }) => console.log(JSON.stringify(await proveEntry(engine, what))))
  else if (verb === 'verify' && what !== undefined) await verify(what, options)
  else throw appFailure('usage', USAGE)
}

const keyOf = async ({ auditKeyFile }: Config) => openSigningKey(await findKeyFile(auditKeyFile), false)

async function resume(key: SigningKey, options: Options): Promise<void> {
  const after = need(options, 'after')
  if (!/^\d{1,12}$/.test(after))
    throw appFailure('usage', '--after is the number of the newest batch that the sink has.')
  // Its note is not known here, only that it was signed.
  const isNew = await key.resumeAfter({ batch: Number(after), link: NO_LINK })
  console.log(isNew ? `The next checkpoint is ${Number(after) + 1}, and says what is lost.` : 'The key file knew that.')
}

async function anew(config: Config, reason: string): Promise<void> {
  const { path, verifierKey } = await withRooms(config, ({ engine }) => beginAnew(engine, config.auditKeyFile, reason))
  console.log(verifierKey)
  console.log(`It is in ${path}. Start the server, copy the file to escrow, and tell whoever verifies why.`)
}

async function rotate(key: SigningKey): Promise<void> {
  const announced = await key.announce()
  console.log(announced)
  console.log('The next checkpoint announces this key, and the one after is signed by it: within a minute or two of a')
  console.log('server that runs. Copy the key file to escrow then. Whoever verifies goes on with the key they have.')
}

async function writeExport(rooms: Parameters<Parameters<typeof withRooms>[1]>[0], options: Options): Promise<void> {
  const range = {
    ...(options.from === undefined ? {} : { from: timeOf(options, 'from') }),
    ...(options.to === undefined ? {} : { to: timeOf(options, 'to') }),
    ...(options.tenant === undefined ? {} : { tenant: (await tenantOf(rooms, options)).tenant }),
  }
  const form = options.form ?? 'careloop'
  if (form !== 'careloop' && form !== 'fhir') throw appFailure('usage', '--form is careloop or fhir.')
  const lines = exportTrail(rooms.engine, range)
  // It tells who looked at whom: for nobody else on this machine.
  const file = createWriteStream(need(options, 'out'), { mode: 0o600, flags: 'wx' })
  await pipeline(form === 'fhir' ? fhirTrail(lines) : lines, file)
}

async function verify(path: string, options: Options): Promise<void> {
  if (!existsSync(path)) throw appFailure('usage', `There is no file ${path}.`)
  const keys = keysOf(need(options, 'key'))
  const proof = readProof(path)
  if (proof !== undefined) {
    const wrong = wrongWithProof(proof, keys)
    console.log(wrong ?? `The entry stands in the trail, at place ${proof.index}:\n${proof.entry}`)
    if (wrong !== null) process.exitCode = 1
    return
  }
  const report = await verifyExport(createReadStream(path, { highWaterMark: 1 << 20 }), {
    keys,
    ...(typeof options.sink === 'string' ? { sink: readSinkRecords(options.sink.split(',')) } : {}),
    restored: restoredOf(options),
  })
  console.log(wordsOf(report).join('\n'))
  if (report.finding !== null) process.exitCode = 1
}

/** The key itself, or a file that holds it. */
const keysOf = (said: string): string[] =>
  (existsSync(said) ? readFileSync(said, 'utf8') : said).split(/[\s,]+/).filter(Boolean)

/** A proof is one short line; an export may be of any size. */
function readProof(path: string): Proof | undefined {
  if (statSync(path).size > 1 << 20) return undefined
  const [line = ''] = readFileSync(path, 'utf8').split('\n')
  return line.includes('"careloop":"audit-proof"') ? (JSON.parse(line) as Proof) : undefined
}

function restoredOf({ restored }: Options) {
  if (restored === undefined) return []
  return String(restored)
    .split(',')
    .map((range) => {
      const match = /^(\d+)-(\d+)$/.exec(range)
      if (!match) throw appFailure('usage', '--restored names batches, e.g. 41-44.')
      return { first: Number(match[1]), last: Number(match[2]) }
    })
}

export function wordsOf(report: VerifyReport): string[] {
  const { batches, entries, unsealed, longestGapMs, notes, from, to, finding } = report
  const gap = longestGapMs > 60_000 ? `, the longest time between two ${Math.round(longestGapMs / 1000)} s` : ''
  return [
    `${entries} entries in ${batches} batches fit, signed ${timeText(from)} to ${timeText(to)}${gap}.`,
    ...(unsealed > 0 ? [`${unsealed} entries are newer than the last checkpoint: nothing proves them yet.`] : []),
    ...notes,
    finding === null ? 'Nothing was altered, removed, reordered, cut off or built anew.' : findingText(finding),
  ]
}

function findingText({ kind, batch, words, after }: Finding): string {
  const where = batch === null ? '' : ` batch ${batch}`
  const when = after === null ? '' : ` It happened after ${timeText(after)}.`
  return `${kind.toUpperCase()}${where}: ${words}${when}`
}

const timeText = (time: number | null): string => (time === null ? '-' : new Date(time).toISOString())

function timeOf(options: Options, name: string): number {
  const time = Date.parse(need(options, name))
  if (Number.isFinite(time)) return time
  throw appFailure('usage', `--${name} is a time like 2026-11-01T00:00:00Z.`)
}
