-- The ground: roles, schemas by kind of table, reading log, outbox, cursors, leases, keys.
-- Kinds of tables are schemas: `tenant` (row-level security, reached as careloop_app), `engine` (no grant to careloop_app),
-- `auth` (identity only). A test fails on a table elsewhere.

-- Roles belong to the whole cluster: another database there may have made it, or be making it at this moment.
do $$ begin
  if not exists (select 1 from pg_roles where rolname = 'careloop_app') then
    create role careloop_app nologin nosuperuser nobypassrls nocreatedb nocreaterole noinherit;
  end if;
exception when duplicate_object or unique_violation then null;
end $$;
do $$ begin
  if not pg_has_role(current_user, 'careloop_app', 'member') then
    execute format('grant careloop_app to %I', current_user);
  end if;
end $$;

create schema tenant;
create schema engine;
create schema auth;
grant usage on schema tenant to careloop_app;
revoke all on schema public from public;

-- What was applied; written by engine/migrate in the transaction that applies it.
create table engine.migration (
  number int primary key,
  name text not null,
  sha256 text not null,
  applied_at timestamptz not null default now()
);

-- Every tenant table calls this in its migration: forces row-level security and grants what the room needs.
create function engine.make_tenant_table(name regclass, privileges text default 'select, insert, update, delete') returns void
language plpgsql as $$
begin
  execute format('alter table %s enable row level security', name);
  execute format('alter table %s force row level security', name);
  execute format(
    'create policy by_tenant on %s using (tenant_id = current_setting(''careloop.tenant'')::uuid) with check (tenant_id = current_setting(''careloop.tenant'')::uuid)',
    name);
  execute format('grant %s on %s to careloop_app', privileges, name);
end $$;

create table engine.tenant (
  id uuid primary key,
  name text not null unique,
  created_at timestamptz not null default now()
);

-- ---------------------------------------------------------------- reading log
create table engine.log_head (
  partition int primary key,
  position bigint not null,
  floor bigint not null default 0
);
insert into engine.log_head values (0, 0, 0);

create table engine.reading_log (
  partition int not null,
  position bigint not null,
  commit_id uuid not null,
  stored_at bigint not null,          -- ms since epoch
  entries int not null,
  key_id uuid not null,
  body bytea not null,                -- sealed; format in engine/log/codec
  primary key (partition, position)
);
alter table engine.reading_log alter column body set storage external; -- already compressed and sealed
create unique index reading_log_commit on engine.reading_log (commit_id);
create index reading_log_stored_at on engine.reading_log using brin (stored_at);

create table engine.fence (
  name text primary key,
  value bigint not null
);

-- One round trip, one transaction, one commit. The head's row lock makes positions gapless and in commit order; fences are
-- read after the lock, and are bumped only under it, so what they guard cannot move between the check and the commit.
create function engine.append(
  p_partition int, p_commit_id uuid, p_stored_at bigint, p_entries int, p_key_id uuid, p_body bytea,
  p_fence_names text[], p_fence_values bigint[]
) returns table (appended_position bigint, lost text[]) language plpgsql as $$
declare
  v_position bigint;
  v_lost text[];
begin
  update engine.log_head h set position = h.position + 1 where h.partition = p_partition returning h.position into v_position;
  if p_fence_names <> '{}' then
    select array_agg(want.name) into v_lost
      from unnest(p_fence_names, p_fence_values) as want(name, value)
      left join engine.fence f on f.name = want.name
     where coalesce(f.value, 0) <> want.value;
    if v_lost is not null then
      update engine.log_head h set position = h.position - 1 where h.partition = p_partition;
      return query select null::bigint, v_lost;
      return;
    end if;
  end if;
  insert into engine.reading_log (partition, position, commit_id, stored_at, entries, key_id, body)
    values (p_partition, v_position, p_commit_id, p_stored_at, p_entries, p_key_id, p_body);
  return query select v_position, null::text[];
end $$;

-- ---------------------------------------------------------------- facts (outbox)
create table engine.fact (
  id bigint generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  tenant_id uuid not null,
  type text not null,
  body jsonb not null,
  at timestamptz not null default now(),
  primary key (xid, id)
);

-- careloop_app has no grant on engine tables: it publishes through this door, for its own tenant only.
create function engine.publish(p_type text, p_body jsonb) returns void
language sql security definer set search_path = pg_catalog, engine as $$
  insert into engine.fact (tenant_id, type, body) values (current_setting('careloop.tenant')::uuid, p_type, p_body);
  select pg_notify('careloop_fact', '');
$$;
revoke all on function engine.publish(text, jsonb) from public;
grant usage on schema engine to careloop_app;
grant execute on function engine.publish(text, jsonb) to careloop_app;

create table engine.cursor (
  name text primary key,
  position text not null,
  moved_at timestamptz not null default now()
);

create table engine.lease (
  name text primary key,
  token bigint not null,
  holder uuid not null,
  expires_at timestamptz not null
);

-- ---------------------------------------------------------------- keys, blobs
create table engine.data_key (
  id uuid primary key,
  purpose text not null,
  owner text not null,
  tenant_id uuid,                     -- null: of the engine itself (a day of the log, the certificate authority)
  wrapped bytea,                      -- null once destroyed
  master_id text not null,            -- which master key wraps it
  created_at timestamptz not null default now(),
  destroyed_at timestamptz,           -- the row stays: it is the erasure ledger
  destroyed_xid xid8,                 -- lets other processes ask what was destroyed since they last looked
  check ((wrapped is null) = (destroyed_at is not null))
);
create unique index data_key_owner on engine.data_key (purpose, owner) where destroyed_at is null;
create index data_key_destroyed on engine.data_key (destroyed_xid) where destroyed_xid is not null;
create index data_key_master on engine.data_key (master_id) where destroyed_at is null;

-- careloop_app cannot read or write keys. Through these two doors a tenant makes keys for itself and destroys its own; the
-- wrapped bytes come from the server, which alone has the master key.
create function engine.create_data_key(p_id uuid, p_purpose text, p_owner text, p_wrapped bytea, p_master_id text) returns void
language plpgsql security definer set search_path = pg_catalog, engine as $$
begin
  if p_purpose not in ('subject', 'tenant', 'quarantine', 'blob') then
    raise exception 'a tenant cannot make a key of this purpose' using errcode = 'insufficient_privilege';
  end if;
  if p_purpose in ('tenant', 'quarantine') and p_owner <> current_setting('careloop.tenant') then
    raise exception 'a tenant cannot make a key for another tenant' using errcode = 'insufficient_privilege';
  end if;
  insert into engine.data_key (id, purpose, owner, tenant_id, wrapped, master_id)
    values (p_id, p_purpose, p_owner, current_setting('careloop.tenant')::uuid, p_wrapped, p_master_id);
end $$;

-- Says what it found: 'destroyed', 'already' or 'unknown' (to this tenant). The key of the tenant itself goes only with the
-- tenant, which is engine work.
create function engine.destroy_data_key(p_id uuid) returns text
language plpgsql security definer set search_path = pg_catalog, engine as $$
begin
  update engine.data_key set wrapped = null, destroyed_at = clock_timestamp(), destroyed_xid = pg_current_xact_id()
   where id = p_id and tenant_id = current_setting('careloop.tenant')::uuid
     and purpose <> 'tenant' and destroyed_at is null;
  if found then return 'destroyed'; end if;
  perform 1 from engine.data_key
    where id = p_id and tenant_id = current_setting('careloop.tenant')::uuid and destroyed_at is not null;
  if found then return 'already'; end if;
  return 'unknown';
end $$;
revoke all on function engine.create_data_key(uuid, text, text, bytea, text), engine.destroy_data_key(uuid) from public;
grant execute on function engine.create_data_key(uuid, text, text, bytea, text), engine.destroy_data_key(uuid) to careloop_app;

create table engine.blob (
  ref uuid primary key,
  key_id uuid not null references engine.data_key (id),
  bytes bigint not null,
  sha256 bytea not null,
  created_at timestamptz not null default now()
);
