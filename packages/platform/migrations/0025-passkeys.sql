-- Identity: passkeys (WebAuthn), proof again before grave acts, sessions that end whatever happens, passwords that were handed over.

-- A key pair in a telephone, a computer or a security key: the private half never leaves it. Attestation is not asked for.
create table auth.passkey (
  id uuid primary key,
  user_id uuid not null references auth.user (id) on delete cascade,
  credential_id bytea not null unique,        -- chosen by the authenticator
  public_key bytea not null,                  -- COSE
  counter bigint not null,                    -- newest signature counter; authenticators that keep none say 0 for ever
  transports text[] not null,                 -- how browsers reach it: usb, nfc, ble, hybrid, internal
  name bytea not null,                        -- what its owner calls it; sealed, bound to the row
  is_synced boolean not null,                 -- kept in a provider's cloud, on several machines
  created_at timestamptz not null,
  used_at timestamptz,
  suspected_at timestamptz                    -- its counter went back: there are two of it, and neither opens anything
);
create index passkey_of_user on auth.passkey (user_id);

-- What an authenticator is to sign. Each is good once, for a short while, and for what it was made for only:
-- `binding` is the SHA-256 of the session, of the challenge after the password, or of the cookie of who has given nothing yet.
create table auth.passkey_challenge (
  sha256 bytea primary key check (length(sha256) = 32),
  purpose text not null check (purpose in ('register', 'sign-in', 'second-factor', 'session')),
  binding bytea not null check (length(binding) = 32),
  expires_at timestamptz not null
);
create index passkey_challenge_expiry on auth.passkey_challenge (expires_at);

alter table auth.session
  -- When a second factor was last proved in this session: grave acts want it fresh.
  add column proved_at timestamptz,
  -- Absolute: nothing prolongs it. Sessions of before end 12 hours from now.
  add column ends_at timestamptz not null default now() + interval '12 hours';
update auth.session set ends_at = least(ends_at, created_at + interval '12 hours');

-- A password that somebody else made or knows: its person replaces it before anything else.
alter table auth.account add column handed_over_at timestamptz;
