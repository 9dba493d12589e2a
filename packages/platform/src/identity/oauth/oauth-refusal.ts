/** What goes wrong at the OAuth endpoints, in OAuth's own words (RFC 6749, 5.2), which apps' libraries read. */
export type OAuthError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'

export class OAuthRefusal extends Error {
  readonly error: OAuthError
  /** For whoever writes the app: what to mend. No secrets. */
  readonly description: string

  constructor(error: OAuthError, description: string) {
    super(`${error}: ${description}`)
    this.error = error
    this.description = description
  }

  get status(): 400 | 401 {
    return this.error === 'invalid_client' ? 401 : 400
  }
}

export const oauthRefusal = (error: OAuthError, description: string): OAuthRefusal =>
  new OAuthRefusal(error, description)
