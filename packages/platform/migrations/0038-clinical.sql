-- Clinical: the record as FHIR R4 resources, each sealed under its subject's key (those of no subject under the tenant's).
-- In the clear stand opaque ids, resource types and times only. Coded content, identifiers, numbers, words and client-assigned ids
-- stand inside the sealed body; they are found by blind keys: 64 bits of an HMAC under the tenant's key. A key says "perhaps"; the
-- opened body decides. Columns that are searched have leakproof operators, because under row-level security only those use an index.

create table tenant.clinical_resource (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  rid uuid not null,                  -- 128 bits of the HMAC of type/id under the tenant's key
  seq bigint not null generated always as identity,
  type text not null,
  version int not null,
  subject_id uuid,                    -- in whose compartment it lies; null = of no subject
  at bigint not null,                 -- ms by which it is sorted: at_from, else when its first version was made
  at_from bigint,                     -- effective time, onset, period: ms, outwards; null = it has none
  at_to bigint,                       -- null = open, or none
  updated_at bigint not null,         -- meta.lastUpdated, ms
  key_id uuid not null,
  body bytea not null,                -- sealed: id, signals, program, then the FHIR JSON (platform/src/clinical/store/body.ts)
  keys bigint[] not null,             -- its rows in clinical_key, so that they are taken away exactly
  is_derived boolean not null,        -- a view of another room's rows
  deleted_at bigint,
  primary key (tenant_id, rid),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id)
);
alter table tenant.clinical_resource alter column body set storage external; -- sealed bytes do not deflate
create unique index clinical_resource_seq on tenant.clinical_resource (tenant_id, seq);
create index clinical_resource_type on tenant.clinical_resource (tenant_id, type, updated_at, seq);
create index clinical_resource_subject on tenant.clinical_resource (tenant_id, subject_id, type, at, seq);
select engine.make_tenant_table('tenant.clinical_resource');

-- Older versions, written when one is replaced.
create table tenant.clinical_history (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  rid uuid not null,
  version int not null,
  type text not null,
  subject_id uuid,
  updated_at bigint not null,
  key_id uuid not null,
  body bytea not null,
  is_derived boolean not null,
  deleted_at bigint,
  primary key (tenant_id, rid, version)
);
alter table tenant.clinical_history alter column body set storage external;
create index clinical_history_type on tenant.clinical_history (tenant_id, type, updated_at, rid);
create index clinical_history_subject on tenant.clinical_history (tenant_id, subject_id) where subject_id is not null;
select engine.make_tenant_table('tenant.clinical_history', 'select, insert, delete');

-- One row for each thing by which a resource is found.
create table tenant.clinical_key (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  key bigint not null,
  at bigint not null,                 -- the resource's: what is found comes in its order
  seq bigint not null,
  primary key (tenant_id, key, at, seq)
);
select engine.make_tenant_table('tenant.clinical_key', 'select, insert, delete');
