-- Identity: apps that speak FHIR by SMART App Launch, and what people granted them. Schema `auth`: identity only. A token is met before
-- its tenant is known, so none of it can stand behind row-level security.

-- What administrators registered. Its id is the client id.
create table auth.app (
  id uuid primary key,
  tenant_id uuid not null references engine.tenant (id),
  name text not null,
  kind text not null check (kind in ('public', 'symmetric', 'asymmetric')),
  redirect_uris text[] not null,              -- empty: no person signs in to it (backend services)
  launch_url text,                            -- where the patient's page opens it; null: from itself only
  scopes text[] not null,                     -- the most that it can be granted
  secret_sha256 bytea check (length(secret_sha256) = 32),
  jwks jsonb,                                 -- public keys, or
  jwks_uri text,                              -- where they are published
  created_by text not null,                   -- actor
  created_at timestamptz not null,
  disabled_at timestamptz,
  check ((kind = 'symmetric') = (secret_sha256 is not null)),
  check ((kind = 'asymmetric') = (num_nonnulls(jwks, jwks_uri) = 1)),
  check (kind = 'asymmetric' or num_nonnulls(jwks, jwks_uri) = 0)
);
create index app_tenant on auth.app (tenant_id);

-- One consent of one person to one app. Ending it ends every token of it.
create table auth.app_grant (
  id uuid primary key,
  tenant_id uuid not null references engine.tenant (id),
  app_id uuid not null references auth.app (id),
  user_id uuid not null references auth.user (id) on delete cascade,
  session_id uuid not null,                   -- in which it was given; no reference: a grant for later outlives it
  patient_id uuid,                            -- subject in context
  scopes text[] not null,
  is_offline boolean not null,                -- good also when the session is over
  auth_time timestamptz not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz
);
create index app_grant_user on auth.app_grant (user_id);
create index app_grant_app on auth.app_grant (app_id);
create index app_grant_patient on auth.app_grant (patient_id);

-- Kept after its use: a second use ends the grant.
create table auth.app_code (
  sha256 bytea primary key check (length(sha256) = 32),
  grant_id uuid not null references auth.app_grant (id) on delete cascade,
  redirect_uri text not null,                 -- one of the app's
  challenge text not null,                    -- PKCE, S256
  nonce bytea,                                -- sealed under ('auth', 'smart')
  expires_at timestamptz not null,
  used_at timestamptz
);
create index app_code_grant on auth.app_code (grant_id);

-- Refresh tokens are kept after their use: a second use ends the grant.
create table auth.app_token (
  sha256 bytea primary key check (length(sha256) = 32),
  kind text not null check (kind in ('access', 'refresh')),
  tenant_id uuid not null references engine.tenant (id),
  app_id uuid not null references auth.app (id),
  grant_id uuid references auth.app_grant (id) on delete cascade, -- null: the app's own (client credentials)
  scopes text[] not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  ended_at timestamptz,
  check (kind = 'access' or grant_id is not null)
);
create index app_token_app on auth.app_token (app_id, expires_at);
create index app_token_grant on auth.app_token (grant_id);

-- Assertions of apps that were taken (`jti`): none is taken twice, by whichever process.
create table auth.app_assertion (
  app_id uuid not null references auth.app (id),
  jti_sha256 bytea not null check (length(jti_sha256) = 32),
  expires_at timestamptz not null,
  primary key (app_id, jti_sha256)
);

-- What the patient's page hands to an app that it opens: this patient, for this person and this app, once.
create table auth.app_launch (
  sha256 bytea primary key check (length(sha256) = 32),
  tenant_id uuid not null references engine.tenant (id),
  app_id uuid not null references auth.app (id),
  user_id uuid not null references auth.user (id) on delete cascade,
  patient_id uuid not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index app_launch_app on auth.app_launch (app_id, expires_at);

-- Keys by which id_tokens are signed; public halves are published.
create table auth.app_signing_key (
  id uuid primary key,                        -- kid
  public_jwk jsonb not null,
  private_jwk bytea not null,                 -- sealed under ('auth', 'smart')
  created_at timestamptz not null
);
