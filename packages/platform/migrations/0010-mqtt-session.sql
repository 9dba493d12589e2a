-- What the MQTT door remembers of a client beyond one connection: subscriptions, QoS 2 packet identifiers, settings under way.
-- No readings and no text of the client's: `client` is the SHA-256 of its client id, which may name a person.
create table engine.device_session (
  tenant_id uuid not null,
  device_id uuid not null,
  client bytea not null check (octet_length(client) = 32),
  state jsonb not null,               -- SessionState in ingest/mqtt/session.ts
  expires_at bigint not null,         -- ms since epoch
  primary key (tenant_id, device_id, client)
);
create index device_session_expiry on engine.device_session (expires_at);
