/** SMART App Launch 2.2 from a page: discovery, PKCE, the way there and back, tokens. Tokens live in this page only. */

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)))

export async function settings() {
  return (await fetch('/settings.json')).json()
}

async function discover(fhir) {
  const answered = await fetch(`${fhir}/.well-known/smart-configuration`, { headers: { accept: 'application/json' } })
  if (!answered.ok) throw new Error('This FHIR server publishes no SMART configuration.')
  return answered.json()
}

/** Sends the person to the server. @param launch what the patient's page gave; absent: the person chooses the patient there */
export async function begin({ client, fhir, launch }) {
  const server = await discover(fhir)
  const [verifier, state] = [random(), random()]
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)))
  // Of this tab, until it comes back: another tab's way does not end here.
  sessionStorage.setItem(
    'smart',
    JSON.stringify({ client, fhir, verifier, state, issuer: server.issuer, token: server.token_endpoint }),
  )
  const patient = launch === undefined ? 'launch/patient' : 'launch'
  location.assign(
    `${server.authorization_endpoint}?${new URLSearchParams({
      response_type: 'code',
      client_id: client,
      redirect_uri: `${location.origin}/`,
      scope: `openid fhirUser offline_access ${patient} patient/Patient.rs patient/Observation.rs?category=vital-signs`,
      state,
      aud: fhir,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...(launch === undefined ? {} : { launch }),
    })}`,
  )
}

/** Whether the address says that the person comes back from the server. */
export const isBack = () => new URLSearchParams(location.search).has('state')

/** Ends the way that was begun. @returns a session that asks for resources */
export async function finish() {
  const said = new URLSearchParams(location.search)
  const begun = JSON.parse(sessionStorage.getItem('smart') ?? 'null')
  sessionStorage.removeItem('smart')
  history.replaceState(null, '', '/')
  if (begun === null || said.get('state') !== begun.state)
    throw new Error('This answer belongs to nothing that was begun here.')
  // Of several servers that this app knows, the one that was asked must be the one that answers (RFC 9207).
  if (said.get('iss') !== begun.issuer) throw new Error('Another server answered than was asked.')
  if (said.has('error')) throw new Error(`${said.get('error')}: ${said.get('error_description') ?? ''}`)
  const tokens = await exchange(begun, {
    grant_type: 'authorization_code',
    code: said.get('code'),
    redirect_uri: `${location.origin}/`,
    code_verifier: begun.verifier,
  })
  return session(begun, tokens)
}

async function exchange({ token, client }, form) {
  const answered = await fetch(token, { method: 'POST', body: new URLSearchParams({ ...form, client_id: client }) })
  const body = await answered.json()
  if (!answered.ok) throw new Error(`${body.error}: ${body.error_description}`)
  return body
}

function session(begun, first) {
  let tokens = first
  const ask = (path) =>
    fetch(`${begun.fhir}/${path}`, {
      headers: { authorization: `Bearer ${tokens.access_token}`, accept: 'application/fhir+json' },
    })
  return {
    patient: first.patient,
    scope: first.scope,
    /** Whom the server says the person is. It came by TLS from the token endpoint itself, so its signature need not be checked here. */
    user: JSON.parse(atob(first.id_token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))).fhirUser,
    /** Renews the token once when the server does not take it any more. */
    async read(path) {
      let answered = await ask(path)
      if (answered.status === 401 && tokens.refresh_token !== undefined) {
        await this.renew()
        answered = await ask(path)
      }
      if (!answered.ok) throw new Error(`The server answered ${answered.status}.`)
      return answered.json()
    },
    async renew() {
      tokens = await exchange(begun, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token })
    },
  }
}
