/** Enrols devices over the server's own API, with a service token: subject, device, assignment, device token. */
import { DeviceTokenIssued, DeviceView, SubjectView } from '@careloop/contract'

export interface Enrolled {
  readonly name: string
  readonly token: string
}

export class Refused extends Error {}

export interface Api {
  /** @throws Refused with what the server said */
  post(path: string, body: unknown): Promise<unknown>
}

/** Waits and asks again where the server says so. */
export const apiOf = (url: string, serviceToken: string): Api => ({
  async post(path, body) {
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(new URL(path, url), {
        method: 'POST',
        headers: { authorization: `Bearer ${serviceToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (response.ok) return response.json()
      const text = await response.text()
      if (response.status !== 429 || attempt === 5) throw new Refused(`${path}: ${response.status} ${text}`)
      await new Promise((resolve) => setTimeout(resolve, Number(response.headers.get('retry-after') ?? 1) * 1000))
    }
  },
})

export interface Wanted {
  readonly name: string
  readonly profile: string
  readonly classification: 'wellness' | 'operational' | 'medical'
  readonly subject: 'patient' | 'asset'
}

export async function enrolOverApi(api: Api, wanted: Wanted): Promise<Enrolled> {
  const { name, profile, classification } = wanted
  const resource =
    wanted.subject === 'patient'
      ? { resourceType: 'Patient', name: [{ family: 'Simulated', given: [name] }] }
      : { resourceType: 'Device', deviceName: [{ name, type: 'user-friendly-name' }] }
  const subject = SubjectView.parse(await api.post('/api/v1/subjects', { timeZone: 'UTC', resource }))
  const device = DeviceView.parse(await api.post('/api/v1/devices', { name, profile, classification }))
  await api.post(`/api/v1/devices/${device.id}/assignments`, { subject: subject.id })
  const { token } = DeviceTokenIssued.parse(await api.post(`/api/v1/devices/${device.id}/tokens`, {}))
  return { name, token }
}
