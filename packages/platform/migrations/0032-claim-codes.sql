-- How a device comes to its own credential: a one-time claim code from an operator, renewal with the key it has. A key serves one
-- certificate, once.

create table tenant.claim_code (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  device_id uuid not null,
  created_at bigint not null,
  created_by text not null,           -- as in the audit trail
  expires_at bigint not null,
  used_at bigint,
  revoked_at bigint,
  primary key (tenant_id, id),
  foreign key (tenant_id, device_id) references tenant.device (tenant_id, id),
  check (used_at is null or revoked_at is null)
);
create index claim_code_of on tenant.claim_code (tenant_id, device_id, id);
select engine.make_tenant_table('tenant.claim_code', 'select, insert, update (used_at, revoked_at)');

-- A device shows a code before anybody knows its tenant. HMAC under a key of the installation: a code is short, and a bare digest
-- of it could be searched for.
create table engine.claim_code (
  hmac bytea primary key,
  tenant_id uuid not null,
  device_id uuid not null,
  claim_id uuid not null
);

-- SHA-256 over the public key (SPKI) of every certificate that was issued.
create table engine.device_key (
  digest bytea primary key,
  tenant_id uuid not null,
  device_id uuid not null,
  credential_id uuid not null
);

create function engine.register_claim(p_hmac bytea, p_device uuid, p_claim uuid) returns void
language sql security definer set search_path = pg_catalog as $$
  insert into engine.claim_code (hmac, tenant_id, device_id, claim_id)
    values (p_hmac, current_setting('careloop.tenant')::uuid, p_device, p_claim);
$$;

-- False when the key served before, whoever it served.
create function engine.register_device_key(p_digest bytea, p_device uuid, p_credential uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into engine.device_key (digest, tenant_id, device_id, credential_id)
    values (p_digest, current_setting('careloop.tenant')::uuid, p_device, p_credential)
    on conflict (digest) do nothing;
  return found;
end $$;

-- An end that comes sooner; never one that comes later.
create function engine.shorten_credential(p_credential uuid, p_expires_at bigint) returns void
language sql security definer set search_path = pg_catalog as $$
  update engine.device_credential
     set expires_at = least(expires_at, p_expires_at), touched = pg_current_xact_id()::text::bigint
   where tenant_id = current_setting('careloop.tenant')::uuid and credential_id = p_credential;
$$;
-- The certificate that was issued in its stead: one at a time, so that one key cannot be turned into many.
alter table tenant.device_credential add column followed_by uuid;
grant update (expires_at, followed_by) on tenant.device_credential to careloop_app;

revoke all on function engine.register_claim(bytea, uuid, uuid), engine.register_device_key(bytea, uuid, uuid),
  engine.shorten_credential(uuid, bigint) from public;
grant execute on function engine.register_claim(bytea, uuid, uuid), engine.register_device_key(bytea, uuid, uuid),
  engine.shorten_credential(uuid, bigint) to careloop_app;

-- When something odd about a device was last told, so that it is told once a day and not with every try.
create table tenant.device_oddity (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  device_id uuid not null,
  reason text not null,
  told_at bigint not null,
  primary key (tenant_id, device_id, reason),
  foreign key (tenant_id, device_id) references tenant.device (tenant_id, id)
);
select engine.make_tenant_table('tenant.device_oddity', 'select, insert, update (told_at)');

-- Whose name is shown with a wrong token: a door asks before it knows an organisation.
create index device_directory_name on engine.device_directory (name);
