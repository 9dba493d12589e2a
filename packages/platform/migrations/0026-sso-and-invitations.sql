-- Identity: sign-in at an organisation's own identity provider (OpenID Connect), and invitations. Schema `auth`: identity only.
-- Both are met before anybody is signed in, so before a tenant is known: they cannot stand behind row-level security.

-- One per organisation.
create table auth.identity_provider (
  id uuid primary key,
  tenant_id uuid not null unique references engine.tenant (id),
  slug text not null unique check (slug ~ '^[a-z0-9](-?[a-z0-9]){1,47}$'), -- in the address of its sign-in link
  name text not null,                         -- on the button
  issuer text not null,
  client_id text not null,
  client_secret bytea,                        -- sealed under ('auth', 'sso'); null = a public client
  groups_claim text not null,
  role_map jsonb not null,                    -- [{"group": "...", "roles": ["nurse"]}]
  email_domains text[] not null,              -- empty = any
  link_existing boolean not null,             -- an account that is here already may be taken over by a verified e-mail
  mfa_acr text[] not null,                    -- values that count as a second factor
  mfa_amr text[] not null,
  is_enabled boolean not null,
  updated_at timestamptz not null
);

-- One walk to the provider and back; taken away when it comes back, so each is good once.
create table auth.sso_attempt (
  state_sha256 bytea primary key check (length(state_sha256) = 32),
  provider_id uuid not null references auth.identity_provider (id) on delete cascade,
  browser_sha256 bytea not null check (length(browser_sha256) = 32), -- of the cookie: another browser cannot finish it
  sealed bytea not null,                      -- nonce, PKCE verifier, redirect URI, under ('auth', 'sso')
  return_to text not null,                    -- a path of ours
  trial_by uuid,                              -- an administrator tries the settings: nobody is signed in
  expires_at timestamptz not null
);
create index sso_attempt_expiry on auth.sso_attempt (expires_at);

-- Who somebody is at the provider. By issuer: another provider's `sub` of the same text is another person.
create table auth.sso_identity (
  tenant_id uuid not null references engine.tenant (id),
  issuer text not null,
  subject text not null,
  user_id uuid not null references auth.user (id) on delete cascade,
  lost_groups_at timestamptz,                 -- the membership was ended because no group gave a role: a group brings it back
  created_at timestamptz not null,
  primary key (tenant_id, issuer, subject)
);
create index sso_identity_user on auth.sso_identity (user_id);

-- What a session at the provider belongs to, for sign-out there and from there.
create table auth.sso_session (
  session_id uuid primary key references auth.session (id) on delete cascade,
  tenant_id uuid not null references engine.tenant (id),
  issuer text not null,
  subject text not null,
  sid text,
  id_token bytea not null                     -- sealed under ('auth', 'sso'): the hint at sign-out
);
create index sso_session_of on auth.sso_session (tenant_id, issuer, subject);

-- Logout tokens that were taken (`jti`): none is taken twice.
create table auth.sso_logout_token (
  sha256 bytea primary key check (length(sha256) = 32),
  expires_at timestamptz not null
);

-- A one-time link by which somebody makes their own account. Only the SHA-256 of its token is kept; sealed beside it until the mail
-- with the link was given to the mail server.
create table auth.invitation (
  id uuid primary key,
  tenant_id uuid not null references engine.tenant (id),
  email text not null,                        -- lower case; of staff
  roles text[] not null check (cardinality(roles) > 0),
  sha256 bytea not null unique check (length(sha256) = 32),
  token bytea,                                -- sealed under ('auth', 'invitation'); null = sent, or no mail server
  invited_by text not null,                   -- actor
  created_at timestamptz not null,
  expires_at timestamptz not null,
  sent_at timestamptz,
  accepted_at timestamptz,
  revoked_at timestamptz,
  user_id uuid references auth.user (id)
);
create index invitation_tenant on auth.invitation (tenant_id, created_at);
