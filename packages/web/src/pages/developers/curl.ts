/** What somebody wants to try, as a request and as the line that does the same from a shell. Pure. */
import { fhirBase } from '../../api/fhir.ts'

export interface Request {
  readonly ask: 'GET' | 'search'
  /** Below the base. */
  readonly path: string
  /** Of a search: `name=value&name=value`, encoded. */
  readonly form: string | undefined
}

export type Asked = { readonly request: Request; readonly problem?: undefined } | { readonly problem: string }

export function requestOf({ ask, path, form }: { ask: Request['ask']; path: string; form: string }): Asked {
  const trimmed = path.trim().replace(fhirBase, '')
  if (!trimmed.startsWith('/')) return { problem: 'Begin with a slash, as in /Patient.' }
  if (/\s/.test(trimmed)) return { problem: 'A path holds no blanks: write %20.' }
  if (trimmed.split(/[?#]/)[0]!.split('/').includes('..')) return { problem: 'Stay below the base.' }
  if (ask === 'GET') return { request: { ask, path: trimmed, form: undefined } }
  const lines = form.split('\n').filter((line) => line.trim() !== '')
  const wrong = lines.findIndex((line) => !line.includes('='))
  if (wrong >= 0) return { problem: `Line ${wrong + 1} of the parameters is not name=value.` }
  const words = new URLSearchParams(
    lines.map((line): [string, string] => {
      const at = line.indexOf('=')
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()]
    }),
  )
  const below = trimmed.replace(/\/(_search)?$/, '')
  return { request: { ask, path: `${below}/_search`, form: words.toString() } }
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** With a token in place of the session: sessions are for browsers. */
export function curlOf({ path, form }: Request, origin: string): string {
  const url = quoted(`${origin}${fhirBase}${path}`)
  const token = `-H "authorization: Bearer $TOKEN" -H 'accept: application/fhir+json'`
  return form === undefined ? `curl ${token} ${url}` : `curl ${token} --data ${quoted(form)} ${url}`
}
