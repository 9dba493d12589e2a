/** Hands out the files of the app. It sees no token: the page exchanges its code itself, with PKCE. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'

const types = { html: 'text/html', js: 'text/javascript', css: 'text/css' }
const pages = new Map([
  ['/', 'index.html'],
  ['/launch.html', 'launch.html'],
  ['/app.js', 'app.js'],
  ['/launch.js', 'launch.js'],
  ['/smart.js', 'smart.js'],
  ['/style.css', 'style.css'],
])

/** @param {() => { client: string, fhir: string }} settings asked anew for each request */
export function makeServer(settings) {
  return createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://here')
    const { client, fhir } = settings()
    const headers = {
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer', // The code stands in the address for a moment: it is told to nobody.
      'content-security-policy': `default-src 'self'; img-src 'self' data:; connect-src 'self' ${new URL(fhir).origin}; frame-ancestors 'none'`,
    }
    if (pathname === '/settings.json') {
      response.writeHead(200, { ...headers, 'content-type': 'application/json' })
      return response.end(JSON.stringify({ client, fhir }))
    }
    const file = pages.get(pathname)
    if (request.method !== 'GET' || file === undefined) return response.writeHead(404, headers).end()
    const bytes = await readFile(new URL(`public/${file}`, import.meta.url))
    response.writeHead(200, { ...headers, 'content-type': `${types[file.split('.').at(-1)]}; charset=utf-8` })
    return response.end(bytes)
  })
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const { values } = parseArgs({
    options: { client: { type: 'string' }, fhir: { type: 'string' }, port: { type: 'string', default: '8090' } },
  })
  if (!values.client || !values.fhir) {
    console.error('node server.js --client <client id> --fhir <FHIR base URL> [--port 8090]')
    process.exit(2)
  }
  makeServer(() => ({ client: values.client, fhir: values.fhir })).listen(Number(values.port), '127.0.0.1', () =>
    console.log(`http://127.0.0.1:${values.port}/`),
  )
}
