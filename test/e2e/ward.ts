/** Patients of one nurse, each with a cuff that sends over HTTP. */
import { byConsole } from '@careloop/platform'
import type { Ground } from './clinic.ts'

export interface Ward {
  /** The one with two alerts. */
  readonly withTwo: string
  /** Ten alerts of nine patients: severe ones, and of one patient a sustained elevation besides. */
  raiseTen(): Promise<void>
  /** An eleventh, of a patient who had none; severe. */
  raiseAnother(): Promise<void>
  /** The patient's name in a row's words. */
  nameIn(words: string): string
  /** What was recorded as time for a patient, in seconds. */
  secondsFor(subject: string): Promise<number>
}

const families = ['Adler', 'Berger', 'Cerny', 'Dorn', 'Egger', 'Fuchs', 'Gruber', 'Huber', 'Irsigler', 'Jandl'] as const
const minuteMs = 60_000

type Measured = readonly [agoMs: number, systolic: number, diastolic: number]

export async function openWard(
  { platform, url }: Ground,
  tenant: string,
  owner: string,
  backup: string,
): Promise<Ward> {
  const { subjects, fleet, workflow } = platform.rooms
  const by = byConsole(tenant)
  // Their first measurements were taken before they are sent.
  const from = Date.now() - 60 * minuteMs
  const patients: { id: string; name: string; token: string }[] = []
  for (const family of families) {
    const resource = { resourceType: 'Patient' as const, name: [{ family, given: ['Toni'] }] }
    const { id } = await subjects.create(by, { timeZone: 'Europe/Vienna', resource })
    await subjects.enrol(by, id, { program: 'hypertension-rpm', owner, backup, from })
    const device = await fleet.enrolDevice(by, {
      ...{ name: `cuff-${family.toLowerCase()}`, classification: 'medical', profile: 'generic' },
    })
    await fleet.assign(by, device.id, id, from)
    patients.push({ id, name: `${family}, Toni`, token: (await fleet.createDeviceToken(by, device.id, {})).token })
  }
  /** A crisis counts once it was repeated after a minute. */
  const severe = async ({ token }: { token: string }, before: readonly Measured[]) => {
    const now = Date.now()
    const told: readonly Measured[] = [...before, [2 * minuteMs, 186, 112], [0, 190, 118]]
    const body = told.map(([ago, systolic, diastolic]) => ({ ts: now - ago, values: { systolic, diastolic } }))
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    const answer = await fetch(`${url}/api/v1/ingest`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`the cuff was refused: ${answer.status} ${await answer.text()}`)
  }
  const [last, two] = [patients.at(-1)!, patients[4]!]
  return {
    withTwo: two.name,
    async raiseTen() {
      for (const patient of patients.slice(0, -1))
        await severe(patient, patient === two ? [[4 * minuteMs, 160, 98]] : [])
    },
    raiseAnother: () => severe(last, []),
    nameIn: (words) => patients.find(({ name }) => words.includes(name))!.name,
    async secondsFor(subject) {
      const range = { from, to: Date.now() + minuteMs }
      return (await workflow.activities.list(by, subject, range)).totals.seconds
    },
  }
}
