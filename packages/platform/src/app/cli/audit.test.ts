import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { exportTrail, openSigningKey, proveEntry } from '../../audit/index.ts'
import { type TrailGround, trailGround } from '../../audit/testing/trail-ground.ts'
import { readConfig } from '../config.ts'
import { auditCommand } from './audit.ts'

let ground: TrailGround
let dir: string
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'careloop-audit-cli-'))
  ground = await trailGround()
  await ground.write(3)
  await ground.seal()
  await ground.write(2)
  await ground.seal()
})
afterAll(async () => {
  await ground.stop()
  rmSync(dir, { recursive: true })
})

/** Offline: there is neither a database nor a data directory where this configuration points to. */
async function audit(
  words: readonly string[],
  options: Record<string, string> = {},
): Promise<{ said: string; code: unknown }> {
  const config = readConfig({ CARELOOP_DATA: join(dir, 'nothing'), CARELOOP_AUDIT_KEY_FILE: ground.keyFile })
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    process.exitCode = undefined
    await auditCommand(config, words, options)
    return { said: log.mock.calls.flat().join('\n'), code: process.exitCode }
  } finally {
    process.exitCode = undefined
    log.mockRestore()
  }
}

async function exportFile(name: string): Promise<string> {
  const path = join(dir, name)
  let text = ''
  for await (const line of exportTrail(ground.engine)) text += line
  writeFileSync(path, text)
  return path
}

describe('careloop audit', () => {
  it('verifies an export with the public key alone, and says what it could not compare', async () => {
    const { said: key } = await audit(['key'])
    expect(key).toMatch(/^careloop\.audit\/[0-9a-f]{16}\+[0-9a-f]{8}\+/)
    const verified = await audit(['verify', await exportFile('good')], { key })
    expect(verified.code).toBeUndefined()
    expect(verified.said).toContain('5 entries in 2 batches fit')
    expect(verified.said).toContain('Nothing was compared with a sink')
    expect(verified.said).toContain('Nothing was altered')
  })

  it('names what was altered, with what a sink kept, and fails', async () => {
    const kept = join(dir, 'kept.ndjson')
    const records = [...ground.kept.values()].flat()
    writeFileSync(kept, records.map(({ checkpoint }) => `${JSON.stringify({ checkpoint })}\n`).join(''))
    const good = await audit(['verify', await exportFile('good')], { key: await ground.publicKey(), sink: kept })
    expect(good.said).not.toContain('Nothing was compared')
    await ground.save()
    await ground.attack(
      `update tenant.audit_entry set purpose = 'HPAYMT' where id = (select max(id) from tenant.audit_entry)`,
    )
    const bad = await audit(['verify', await exportFile('bad')], { key: await ground.publicKey(), sink: kept })
    expect(bad.code).toBe(1)
    expect(bad.said).toMatch(/ALTERED batch 1: Entry 1 of the batch, id \d+, says something else/)
    expect(bad.said).toContain('It happened after 2026-01-05T08:01:00.000Z.')
    await ground.putBack()
  })

  it('checks a proof of one entry', async () => {
    const { rows } = await ground.engine.db.pool.query(
      'select id::text from tenant.audit_entry order by audit_entry.id',
    )
    const proof = join(dir, 'proof.json')
    writeFileSync(proof, JSON.stringify(await proveEntry(ground.engine, rows[4].id)))
    const checked = await audit(['verify', proof], { key: await ground.publicKey() })
    expect([checked.code, checked.said]).toEqual([undefined, expect.stringContaining('at place 4')])
    const other = await openSigningKey(join(dir, 'other.key'), true)
    const refused = await audit(['verify', proof], { key: (await other.read()).signer.verifierKey })
    expect([refused.code, refused.said]).toEqual([1, 'Its checkpoint is not signed by this key.'])
  })

  it('makes a new key that is announced first', async () => {
    const { said } = await audit(['rotate'])
    const old = await ground.publicKey()
    await ground.seal()
    expect(await ground.publicKey()).toBe(old)
    await ground.seal()
    expect(said).toContain(await ground.publicKey())
  })

  it('is told which numbers are taken where no sink can be asked, and signs the next', async () => {
    expect((await audit(['resume'], { after: '40' })).said).toContain('The next checkpoint is 41')
    expect((await audit(['resume'], { after: '7' })).said).toContain('knew that')
    await ground.write(1)
    expect(await ground.seal()).toBe(41)
    await expect(audit(['resume'], { after: 'x' })).rejects.toMatchObject({ code: 'usage' })
  })

  it('says how it is used', async () => {
    for (const words of [[], ['prove', 'x'], ['verify', join(dir, 'none')]])
      await expect(audit(words, { key: 'k' })).rejects.toMatchObject({ code: 'usage' })
  })
})
