-- Identity: the second factor (TOTP), sessions that lock, and what slows guessing down. Schema `auth`: identity only.

-- Of whom a code of their telephone is asked. Secrets are AES-256-GCM under a key of engine.data_key ('auth', 'second-factor'),
-- bound to the person: the database alone gives no code.
create table auth.second_factor (
  user_id uuid primary key references auth.user (id) on delete cascade,
  secret bytea,                               -- sealed; null = not confirmed yet
  pending bytea,                              -- sealed; offered and not confirmed yet
  confirmed_at timestamptz,
  last_step bigint not null default 0,        -- 30-second step of the newest code taken: none at or below it is taken again
  check ((secret is null) = (confirmed_at is null))
);

-- For who has lost the telephone: each opens once. HMAC-SHA-256 under the same key: nobody can read them back.
create table auth.backup_code (
  user_id uuid not null references auth.user (id) on delete cascade,
  hmac bytea not null check (length(hmac) = 32),
  primary key (user_id, hmac)
);

-- Between the password and the second factor: no session yet. The cookie holds the token, the row its SHA-256.
create table auth.challenge (
  sha256 bytea primary key check (length(sha256) = 32),
  user_id uuid not null references auth.user (id) on delete cascade,
  remember boolean not null,
  failures int not null default 0,
  expires_at timestamptz not null
);
create index challenge_expiry on auth.challenge (expires_at);

-- Wrong answers so far, by door, account and address. Keys are HMACs: what is typed as an address may be a password.
create table auth.throttle (
  key bytea primary key check (length(key) = 32),
  failures int not null,
  last_at timestamptz not null,
  blocked_until timestamptz
);
create index throttle_age on auth.throttle (last_at);

-- From where a person has signed in before: what strangers guess elsewhere does not slow them down there.
create table auth.known_address (
  user_id uuid not null references auth.user (id) on delete cascade,
  hmac bytea not null check (length(hmac) = 32),
  last_at timestamptz not null,
  primary key (user_id, hmac)
);

-- The last act of a human being in a session, by heartbeats of the pages; and whether it was locked by hand.
-- Sessions of before count as used now.
alter table auth.session
  add column active_at timestamptz not null default now(),
  add column locked_at timestamptz,
  add column second_factor_at timestamptz;
