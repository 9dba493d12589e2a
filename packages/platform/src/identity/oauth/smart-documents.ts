/** What apps read before they begin: SMART's configuration, and OpenID Connect's and OAuth's of the same server. Pure. */
import { assertionAlgorithms } from './client-assertion.ts'
import { plainScopes } from './grantable.ts'
import { idTokenAlgorithm } from './id-token.ts'

export interface Addresses {
  /** `https://care.example.org`: the issuer. */
  readonly issuer: string
  /** The FHIR base URL, without a slash behind. */
  readonly fhirUrl: string
  readonly tokenUrl: string
}

export const addressesOf = (issuer: string): Addresses => ({
  ...{ issuer, fhirUrl: `${issuer}/fhir/R4`, tokenUrl: `${issuer}/oauth/token` },
})

const scopes = [
  ...plainScopes,
  ...['patient/*.cruds', 'patient/*.rs', 'user/*.cruds', 'user/*.rs', 'system/*.cruds', 'system/*.rs'],
]
const clientWays = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']
const provingWays = clientWays.slice(1)

/** RFC 8414, with what OpenID Connect Discovery adds. */
export const serverMetadata = ({ issuer, tokenUrl }: Addresses) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: tokenUrl,
  jwks_uri: `${issuer}/oauth/jwks`,
  introspection_endpoint: `${issuer}/oauth/introspect`,
  revocation_endpoint: `${issuer}/oauth/revoke`,
  scopes_supported: scopes,
  response_types_supported: ['code'],
  response_modes_supported: ['query'],
  grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: clientWays,
  token_endpoint_auth_signing_alg_values_supported: [...assertionAlgorithms],
  introspection_endpoint_auth_methods_supported: provingWays,
  introspection_endpoint_auth_signing_alg_values_supported: [...assertionAlgorithms],
  revocation_endpoint_auth_methods_supported: clientWays,
  revocation_endpoint_auth_signing_alg_values_supported: [...assertionAlgorithms],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: [idTokenAlgorithm],
  claims_supported: ['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'fhirUser'],
  authorization_response_iss_parameter_supported: true,
  request_parameter_supported: false,
  request_uri_parameter_supported: false,
})

/** SMART App Launch 2.2, 2.1. Only what is there; a test drives each capability. */
export const smartConfiguration = (addresses: Addresses) => ({
  ...serverMetadata(addresses),
  management_endpoint: `${addresses.issuer}/account`,
  capabilities: [
    ...['launch-ehr', 'launch-standalone', 'client-public', 'client-confidential-symmetric'],
    ...['client-confidential-asymmetric', 'sso-openid-connect', 'context-ehr-patient', 'context-standalone-patient'],
    ...['permission-offline', 'permission-patient', 'permission-user', 'permission-v1', 'permission-v2'],
  ],
})
