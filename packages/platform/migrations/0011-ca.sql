-- The built-in certificate authority: signs the server's own certificate and those of devices. Usually one row; a successor is
-- made before the first runs out, and both are trusted until it has.
create table engine.certificate_authority (
  id uuid primary key,
  certificate bytea not null,         -- DER
  key_id uuid not null references engine.data_key (id),
  sealed_key bytea not null,          -- PKCS #8, sealed
  not_after timestamptz not null,
  created_at timestamptz not null default now()
);
