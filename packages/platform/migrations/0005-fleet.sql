-- Devices, gateways, credentials, who wears what. Times are bigint, ms since epoch.

create table tenant.gateway (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  name text not null,
  site_id uuid,
  enrolled_at bigint not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, site_id) references tenant.site (tenant_id, id)
);
create unique index gateway_name on tenant.gateway (tenant_id, name);
select engine.make_tenant_table('tenant.gateway', 'select, insert, update');

create table tenant.device (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  name text not null check (name ~ '^[A-Za-z0-9._-]{1,64}$'),
  classification text not null check (classification in ('wellness', 'operational', 'medical', 'cyber-device')),
  profile text not null,
  gateway_id uuid,
  expected_interval_ms bigint check (expected_interval_ms > 0),
  time_zone text,
  identity bytea not null,            -- sealed: serial, manufacturer, model, radio address, bind key
  address_hmac bytea,                 -- of the radio address (Bluetooth address, DevEUI), under the tenant's key
  settings bytea not null,            -- sealed JSON
  settings_version int not null default 0,
  enrolled_at bigint not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, gateway_id) references tenant.gateway (tenant_id, id)
);
create unique index device_name on tenant.device (tenant_id, name);
create unique index device_address on tenant.device (tenant_id, address_hmac);
select engine.make_tenant_table('tenant.device', 'select, insert, update');

-- Apart from `device`, because it changes with every connection.
create table tenant.device_status (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  device_id uuid not null,
  connected boolean not null,
  last_connected_at bigint,
  process uuid,                       -- the door process that holds the connection, and the connection: only its own end
  connection uuid,                    -- ends it, and with the process all its connections are gone
  reported_at bigint not null,
  attributes bytea not null,          -- sealed: a device may say anything of itself
  primary key (tenant_id, device_id),
  foreign key (tenant_id, device_id) references tenant.device (tenant_id, id)
);
select engine.make_tenant_table('tenant.device_status', 'select, insert, update');

-- ---------------------------------------------------------------- who wears what
-- Rows are never changed but for being superseded: a correction never destroys history. What holds = superseded_at is null.
create table tenant.assignment (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,                   -- part of a series' identity: stays while the wearer stays
  version int not null,
  device_id uuid not null,
  subject_id uuid not null,
  from_at bigint not null,
  to_at bigint,                       -- null = still worn; half-open [from_at, to_at)
  recorded_at bigint not null,
  recorded_by text not null,
  superseded_at bigint,
  superseded_by text,
  superseded_reason bytea,            -- sealed
  primary key (tenant_id, id, version),
  foreign key (tenant_id, device_id) references tenant.device (tenant_id, id),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id),
  check (to_at is null or to_at > from_at),
  check ((superseded_at is null) = (superseded_by is null)),
  constraint assignment_one_wearer exclude using gist (
    tenant_id with =, device_id with =, int8range(from_at, to_at) with &&) where (superseded_at is null)
);
create index assignment_of_device on tenant.assignment (tenant_id, device_id, from_at);
create index assignment_of_subject on tenant.assignment (tenant_id, subject_id, from_at) where superseded_at is null;
select engine.make_tenant_table(
  'tenant.assignment', 'select, insert, update (superseded_at, superseded_by, superseded_reason)');

-- ---------------------------------------------------------------- credentials
create table tenant.device_credential (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  device_id uuid not null,
  kind text not null check (kind in ('token', 'certificate')),
  label text,
  created_at bigint not null,
  expires_at bigint,
  revoked_at bigint,
  revoked_by text,
  primary key (tenant_id, id),
  foreign key (tenant_id, device_id) references tenant.device (tenant_id, id)
);
create index device_credential_of on tenant.device_credential (tenant_id, device_id, id);
select engine.make_tenant_table('tenant.device_credential', 'select, insert, update (revoked_at, revoked_by)');

-- A door knows a digest before it knows a tenant, so these two are engine tables: what doors look up, for all tenants.
-- They hold digests, opaque ids and codes. careloop_app has no grant on them; it writes through the functions below, which
-- reach its own tenant only.
create table engine.device_credential (
  kind text not null,
  digest bytea not null,              -- SHA-256 of the token, or of the certificate's DER
  tenant_id uuid not null,
  device_id uuid not null,
  credential_id uuid not null,
  expires_at bigint,
  revoked_at bigint,
  touched bigint not null default pg_current_xact_id()::text::bigint,
  primary key (kind, digest)
);
create unique index device_credential_id on engine.device_credential (tenant_id, credential_id);
create index device_credential_touched on engine.device_credential (touched);

create table engine.device_directory (
  device_id uuid primary key,
  tenant_id uuid not null,
  name text not null,
  classification text not null,
  profile text not null,
  expected_interval_ms bigint,
  time_zone text,
  site_id uuid,                       -- of its gateway
  identity bytea not null,            -- sealed, as in tenant.device: doors need address and bind key to read a frame
  settings_version int not null,
  spans jsonb not null,               -- [{id, subject, from, to}], oldest first: what holds now
  -- Readers keep a copy and ask for what was written since their snapshot: `touched >= pg_snapshot_xmin(theirs)`.
  touched bigint not null
);
create index device_directory_touched on engine.device_directory (touched);

-- Zones of those who wear devices and of the sites of gateways: a device's wall clock is theirs. A table of its own, so that
-- moving a patient to another zone and moving a device to the patient cannot miss each other.
create table engine.time_zone (
  id uuid primary key,                -- of a subject or a site
  tenant_id uuid not null,
  time_zone text not null,
  touched bigint not null
);
create index time_zone_touched on engine.time_zone (touched);

-- False when the digest is known already.
create function engine.register_credential(
  p_kind text, p_digest bytea, p_device uuid, p_credential uuid, p_expires_at bigint
) returns boolean language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into engine.device_credential (kind, digest, tenant_id, device_id, credential_id, expires_at)
    values (p_kind, p_digest, current_setting('careloop.tenant')::uuid, p_device, p_credential, p_expires_at)
    on conflict (kind, digest) do nothing;
  return found;
end $$;

create function engine.revoke_credential(p_credential uuid, p_at bigint) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
  update engine.device_credential
     set revoked_at = coalesce(revoked_at, p_at), touched = pg_current_xact_id()::text::bigint
   where tenant_id = current_setting('careloop.tenant')::uuid and credential_id = p_credential;
end $$;

-- Keeps the directory in step within the same transaction. The argument is the column that holds the device's id.
-- Planned afresh each time: a plan made when the tables held five rows (any index looks as good as another) would be kept for
-- the session's life and make the enrolment of the next thousands of devices quadratic.
create function engine.reflect_device() returns trigger
language plpgsql security definer set search_path = pg_catalog set plan_cache_mode = force_custom_plan as $$
declare
  v_tenant uuid := current_setting('careloop.tenant')::uuid;
  v_device uuid := (to_jsonb(new) ->> tg_argv[0])::uuid;
begin
  -- One writer of a device at a time: the next statement sees what a concurrent one has committed, and cannot undo it here.
  perform 1 from tenant.device d where d.tenant_id = v_tenant and d.id = v_device for update;
  insert into engine.device_directory
    (device_id, tenant_id, name, classification, profile, expected_interval_ms, time_zone, site_id, identity, settings_version,
     spans, touched)
  select d.id, d.tenant_id, d.name, d.classification, d.profile, d.expected_interval_ms, d.time_zone,
         (select g.site_id from tenant.gateway g where g.tenant_id = v_tenant and g.id = d.gateway_id),
         d.identity, d.settings_version,
         coalesce((
           select jsonb_agg(jsonb_build_object('id', a.id, 'subject', a.subject_id, 'from', a.from_at, 'to', a.to_at)
                            order by a.from_at)
             from tenant.assignment a
            where a.tenant_id = v_tenant and a.device_id = d.id and a.superseded_at is null), '[]'),
         pg_current_xact_id()::text::bigint
    from tenant.device d where d.tenant_id = v_tenant and d.id = v_device
  on conflict (device_id) do update set
    name = excluded.name, classification = excluded.classification, profile = excluded.profile,
    expected_interval_ms = excluded.expected_interval_ms, time_zone = excluded.time_zone, site_id = excluded.site_id,
    identity = excluded.identity, settings_version = excluded.settings_version, spans = excluded.spans, touched = excluded.touched
  where device_directory.tenant_id = v_tenant;
  return null;
end $$;

create trigger device_reflected after insert or update on tenant.device
  for each row execute function engine.reflect_device('id');
create trigger assignment_reflected after insert or update on tenant.assignment
  for each row execute function engine.reflect_device('device_id');

-- For subjects and sites, which other rooms write.
create function engine.reflect_time_zone() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
  insert into engine.time_zone as z (id, tenant_id, time_zone, touched)
    values (new.id, new.tenant_id, new.time_zone, pg_current_xact_id()::text::bigint)
  on conflict (id) do update set time_zone = excluded.time_zone, touched = excluded.touched
    where z.tenant_id = excluded.tenant_id and z.time_zone <> excluded.time_zone;
  return null;
end $$;
create trigger subject_zone_reflected after insert or update of time_zone on tenant.subject
  for each row execute function engine.reflect_time_zone();
create trigger site_zone_reflected after insert or update of time_zone on tenant.site
  for each row execute function engine.reflect_time_zone();

revoke all on function engine.register_credential(text, bytea, uuid, uuid, bigint) from public;
revoke all on function engine.revoke_credential(uuid, bigint) from public;
revoke all on function engine.reflect_device(), engine.reflect_time_zone() from public;
grant execute on function engine.register_credential(text, bytea, uuid, uuid, bigint) to careloop_app;
grant execute on function engine.revoke_credential(uuid, bigint) to careloop_app;
