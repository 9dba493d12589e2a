import { describe, expect, it } from 'vitest'
import type { AuditAction } from '../entry.ts'
import { canonicalEntry } from '../seal/canonical-entry.ts'
import { type EventEntry, toAuditEvent } from './audit-event.ts'
import { fhirTrail } from './fhir-trail.ts'

const entry: EventEntry = {
  ...{ tenant: 't-1', id: '7', at: Date.UTC(2026, 0, 5, 8), actor: 'staff:s-1', action: 'read', outcome: 'success' },
  ...{ resource: 'series', resourceId: '17', subject: 'p-1', purpose: 'ETREAT', requestId: 'r-1' },
}
const code = (action: AuditAction, more: Partial<EventEntry> = {}) => {
  const event = toAuditEvent({ ...entry, action, ...more })
  return [event.type.code, event.subtype[0]!.code, event.action, event.outcome]
}

describe('an entry as AuditEvent (IHE BALP)', () => {
  it('of a read tells who, whom, what, why and in which request', () => {
    const event = toAuditEvent(entry)
    expect(event).toMatchObject({
      resourceType: 'AuditEvent',
      id: '7',
      type: { code: 'rest' },
      subtype: [{ system: 'http://hl7.org/fhir/restful-interaction', code: 'read' }],
      action: 'R',
      recorded: '2026-01-05T08:00:00.000Z',
      outcome: '0',
      purposeOfEvent: [{ coding: [{ code: 'ETREAT' }] }],
    })
    const [user, server] = event.agent
    expect(user).toMatchObject({ requestor: true, who: { identifier: { system: 'urn:careloop:staff', value: 's-1' } } })
    expect(server).toMatchObject({ requestor: false, type: { coding: [{ code: '110153' }] } })
    expect(event.agent.filter(({ requestor }) => requestor)).toHaveLength(1)
    expect(event.entity.map(({ type, role }) => [type.code, role?.code])).toEqual([
      ['1', '1'],
      ['2', '4'],
      ['XrequestId', undefined],
    ])
    expect(event.entity[0]!.what.reference).toBe('Patient/p-1')
  })

  it.each([
    ['create', ['rest', 'create', 'C', '0']],
    ['update', ['rest', 'update', 'U', '0']],
    ['delete', ['rest', 'delete', 'D', '0']],
    ['search', ['rest', 'search', 'E', '0']],
    ['export', ['110106', 'disclose', 'R', '0']],
    ['print', ['110106', 'report', 'R', '0']],
    ['login', ['110114', '110122', 'E', '0']],
    ['logout', ['110114', '110123', 'E', '0']],
    ['consent', ['110113', '110135', 'U', '0']],
    ['configure', ['110113', '110131', 'U', '0']],
  ] as const)('of %s has the codes of its kind', (action, codes) => {
    expect(code(action)).toEqual(codes)
  })

  it('of a refusal and of what went wrong says so, and how often', () => {
    expect(code('denied', { outcome: 'denied' })).toEqual(['110113', '110132', 'E', '4'])
    expect(code('login', { outcome: 'failed' })[3]).toBe('8')
    const [data] = toAuditEvent({ ...entry, subject: null, times: 41 }).entity
    expect(data!.detail).toEqual([{ type: 'times', valueString: '41' }])
  })

  it('of a device, a search and a change names the device, the query and the server as destination', () => {
    expect(toAuditEvent({ ...entry, actor: 'device:d-1' }).agent[0]!.who.reference).toBe('Device/d-1')
    expect(toAuditEvent({ ...entry, actor: 'cli' }).agent[0]!.who.identifier!.value).toBe('cli')
    const search = toAuditEvent({ ...entry, action: 'search', subject: null, resourceId: null, requestId: null })
    expect(search.entity).toMatchObject([{ role: { code: '24' }, what: { identifier: { value: '*' } } }])
    expect(toAuditEvent({ ...entry, action: 'update' }).agent[1]!.type.coding[0]!.code).toBe('110152')
  })

  it('is written line by line from an export, of entries alone', async () => {
    const row = {
      ...{ tenant_id: 't-1', id: '7', xid: '9', at_us: '1767600000000123', principal_kind: 'cli', principal_id: 'cli' },
      ...{ action: 'export', outcome: 'success', resource: 'subject', resource_id: null, subject_id: 'p-1' },
      ...{ purpose: 'PATRQT', request_id: null, detail_key_id: null, detail: null, times: 1 },
    }
    async function* lines() {
      yield '{"careloop":"audit-export"}\n'
      yield `${canonicalEntry(row)}\n`
      yield '"hash"\n'
    }
    const events = []
    for await (const line of fhirTrail(lines())) events.push(JSON.parse(line))
    expect(events).toMatchObject([{ id: '7', recorded: '2026-01-05T08:00:00.000Z', type: { code: '110106' } }])
  })
})
