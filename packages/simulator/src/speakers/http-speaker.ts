/** HTTP: `POST /api/v1/ingest` with the device's token, as a batch, gzipped if it likes, in JSON or SenML. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Utterance } from '../devices/virtual-device.ts'
import { jsonOf, senmlOf } from './encode.ts'
import type { Answer, Speaker } from './speaker.ts'

export interface HttpSpeakerOptions {
  /** Base URL of the server: `http://127.0.0.1:8080`. */
  readonly url: string
  readonly device: string
  readonly token: string
  readonly format?: 'json' | 'senml'
  readonly gzip?: boolean
  /** For waiting as Retry-After asks; default a real timer. */
  readonly sleep?: (ms: number) => Promise<void>
}

const BATCH = 500
const ATTEMPTS = 6
const packed = promisify(gzip)

export function httpSpeaker(options: HttpSpeakerOptions): Speaker {
  return {
    async say(utterances) {
      const answers: Answer[] = []
      for (const request of requestsOf(utterances, options)) answers.push(await post(request, options))
      return answers
    },
    close: async () => {},
  }
}

interface Request {
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly messages: number
}

/** Attributes go by MQTT only: the HTTP door takes readings. */
function requestsOf(utterances: readonly Utterance[], { format, device }: HttpSpeakerOptions): Request[] {
  const requests: Request[] = []
  const measured = utterances.filter((each) => each.what === 'measurement')
  for (let i = 0; i < measured.length; i += BATCH) {
    const part = measured.slice(i, i + BATCH)
    const [mediaType, body] =
      format === 'senml'
        ? (['application/senml+json', senmlOf(part, device)] as const)
        : (['application/json', part.length === 1 ? jsonOf(part[0]!) : part.map(jsonOf)] as const)
    requests.push({ mediaType, bytes: Buffer.from(JSON.stringify(body)), messages: part.length })
  }
  for (const each of utterances)
    if (each.what === 'frame') requests.push({ mediaType: 'application/octet-stream', bytes: each.bytes, messages: 1 })
  return requests
}

async function post({ mediaType, bytes, messages }: Request, options: HttpSpeakerOptions): Promise<Answer> {
  const body = options.gzip ? await packed(bytes) : bytes
  const sleep = options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)))
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(new URL('/api/v1/ingest', options.url), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${options.token}`,
        'content-type': mediaType,
        ...(options.gzip ? { 'content-encoding': 'gzip' } : {}),
      },
      body: new Uint8Array(body),
    })
    const text = await response.text()
    if (response.status === 202) return { outcome: 'acknowledged', messages }
    const retryAfter = Number(response.headers.get('retry-after'))
    const mayRetry = [429, 503, 507].includes(response.status) && attempt < ATTEMPTS
    if (!mayRetry) return { outcome: 'refused', messages, reason: `${response.status} ${codeOf(text)}`.trim() }
    await sleep(Math.max(1, retryAfter || 1) * 1000)
  }
}

/** The code and pointer of an OperationOutcome; '' of anything else. */
function codeOf(text: string): string {
  try {
    const outcome = JSON.parse(text) as {
      issue?: { details?: { coding?: { code?: string }[] }; expression?: string[] }[]
    }
    const issue = outcome.issue?.[0]
    return [issue?.details?.coding?.[0]?.code, issue?.expression?.[0]].filter(Boolean).join(' ')
  } catch {
    return ''
  }
}
