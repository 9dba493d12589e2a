-- Screens on walls: each shows one board, read only. Looked up before the tenant is known, so not behind row-level security.
-- Schema `auth`: identity only.

create table auth.display (
  id uuid primary key,
  tenant_id uuid not null references engine.tenant (id),
  name text not null,
  board text not null check (board in ('cold-chain')),
  created_by text not null,                   -- actor
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- The one-time link: its SHA-256 until it is opened, then none.
  link_sha256 bytea unique check (length(link_sha256) = 32),
  link_expires_at timestamptz,
  -- What the screen's cookie holds, as SHA-256; none before the link was opened.
  sha256 bytea unique check (length(sha256) = 32),
  opened_at timestamptz,
  last_seen_at timestamptz,
  revoked_at timestamptz,
  check ((link_sha256 is null) = (link_expires_at is null)),
  check (revoked_at is null or (sha256 is null and link_sha256 is null))
);
create index display_tenant on auth.display (tenant_id);
