-- Identity: staff, their sessions, memberships, service tokens. Schema `auth`: reached by the identity room only.
-- auth.user, session, account, verification, rate_limit are the tables of better-auth 1.7 (its core schema, in our spelling:
-- identity/better-auth.ts maps the names). Staff names and addresses live here; nothing about patients ever does.

create table auth.user (
  id uuid primary key,
  name text not null,
  email text not null unique,                 -- lower case
  email_verified boolean not null default false,
  image text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table auth.session (
  id uuid primary key,
  token text not null unique,                 -- the cookie carries it signed: the row alone opens nothing
  user_id uuid not null references auth.user (id) on delete cascade,
  tenant_id uuid references engine.tenant (id), -- which membership is in use; null = the oldest
  expires_at timestamptz not null,
  ip_address text,
  user_agent text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index session_of_user on auth.session (user_id);

create table auth.account (
  id uuid primary key,
  account_id text not null,
  provider_id text not null,
  user_id uuid not null references auth.user (id) on delete cascade,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  scope text,
  password text,                              -- argon2id, PHC string
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (provider_id, account_id)
);
create index account_of_user on auth.account (user_id);

create table auth.verification (
  id uuid primary key,
  identifier text not null,
  value text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index verification_identifier on auth.verification (identifier);

create table auth.rate_limit (
  id uuid primary key,
  key text not null unique,
  count int not null,
  last_request bigint not null                -- ms since epoch
);

-- ---------------------------------------------------------------- ours
-- What a person is in an organisation. Ended memberships stay: audit entries point at them.
create table auth.member (
  user_id uuid not null references auth.user (id),
  tenant_id uuid not null references engine.tenant (id),
  roles text[] not null,
  display_name text not null,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (user_id, tenant_id),
  check (cardinality(roles) > 0),
  check (roles <@ array['nurse','physician','facilities','pharmacist','biomed','administrator','compliance','integrator'])
);
create index member_tenant on auth.member (tenant_id);

-- Bearer tokens of programs (`cls_...`, 256 random bits). Only the SHA-256 is kept; the token is shown once.
-- It is looked up before the tenant is known, so it cannot stand behind row-level security.
create table auth.service_token (
  id uuid primary key,
  tenant_id uuid not null references engine.tenant (id),
  name text not null,
  sha256 bytea not null unique check (length(sha256) = 32),
  scopes text[] not null check (cardinality(scopes) > 0),
  created_by text not null,                   -- actor, e.g. `staff:<id>` or `cli`
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz
);
create index service_token_tenant on auth.service_token (tenant_id);

-- The one-time invitation of the first administrator; at most one row.
create table auth.setup (
  only_one boolean primary key default true check (only_one),
  sha256 bytea not null check (length(sha256) = 32),
  expires_at timestamptz not null
);
