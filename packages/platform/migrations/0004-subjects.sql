-- Subjects (patients, assets, locations), sites, care teams, enrolments.
-- Plain columns hold opaque ids, codes and times only. Bodies are sealed under the subject's own key; identifiers stand as
-- HMACs; names stand nowhere but inside the sealed body. Search columns are of types whose operators are leakproof, because
-- under row-level security only those use an index. Times are bigint, ms since epoch.

-- Ships with PostgreSQL and is trusted: an exclusion constraint over (uuid, range) needs it.
create extension if not exists btree_gist with schema engine;

create table tenant.site (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  name text not null,
  time_zone text not null,
  created_at bigint not null,
  primary key (tenant_id, id)
);
create unique index site_name on tenant.site (tenant_id, name);
select engine.make_tenant_table('tenant.site', 'select, insert, update');

create table tenant.care_team (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  name text not null,
  site_id uuid,
  created_at bigint not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, site_id) references tenant.site (tenant_id, id)
);
create unique index care_team_name on tenant.care_team (tenant_id, name);
select engine.make_tenant_table('tenant.care_team', 'select, insert, update');

create table tenant.care_team_member (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  team_id uuid not null,
  user_id text not null,
  primary key (tenant_id, team_id, user_id),
  foreign key (tenant_id, team_id) references tenant.care_team (tenant_id, id)
);
select engine.make_tenant_table('tenant.care_team_member', 'select, insert, delete');

create table tenant.subject (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  kind text not null check (kind in ('patient', 'asset', 'location')),
  time_zone text not null,
  site_id uuid,
  team_id uuid,
  key_id uuid not null,
  body bytea not null,                -- sealed FHIR JSON
  version int not null,
  created_at bigint not null,
  updated_at bigint not null,
  -- The transaction that wrote the row last: readers that keep a copy ask for what is newer than their snapshot.
  touched bigint not null default pg_current_xact_id()::text::bigint,
  primary key (tenant_id, id),        -- leads with the tenant, so that a foreign key cannot reach another tenant's row
  foreign key (tenant_id, site_id) references tenant.site (tenant_id, id),
  foreign key (tenant_id, team_id) references tenant.care_team (tenant_id, id)
);
create index subject_touched on tenant.subject (tenant_id, touched);
create index subject_kind on tenant.subject (tenant_id, kind, id);
create index subject_site on tenant.subject (tenant_id, site_id, id);
create index subject_team on tenant.subject (tenant_id, team_id, id);
select engine.make_tenant_table('tenant.subject', 'select, insert, update');

create table tenant.subject_identifier (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  subject_id uuid not null,
  system text not null,               -- URI of the numbering system, or urn:careloop:phone | urn:careloop:email
  hmac bytea not null,                -- of the normalised value, under the tenant's key
  is_unique boolean not null,         -- an identifier names one subject; a telephone may be a family's
  primary key (tenant_id, system, hmac, subject_id),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id)
);
create unique index subject_identifier_once on tenant.subject_identifier (tenant_id, system, hmac) where is_unique;
create index subject_identifier_of on tenant.subject_identifier (tenant_id, subject_id);
select engine.make_tenant_table('tenant.subject_identifier', 'select, insert, delete');

create table tenant.enrolment (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  subject_id uuid not null,
  program text not null,
  owner_id text not null,             -- staff user who acts on its alerts
  backup_id text,
  from_at bigint not null,
  to_at bigint,                       -- null = open; half-open [from_at, to_at)
  created_at bigint not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id),
  check (to_at is null or to_at > from_at),
  constraint enrolment_once exclude using gist (
    tenant_id with =, subject_id with =, program with =, int8range(from_at, to_at) with &&)
);
create index enrolment_of on tenant.enrolment (tenant_id, subject_id, from_at);
create index enrolment_program on tenant.enrolment (tenant_id, program, id);
select engine.make_tenant_table('tenant.enrolment', 'select, insert, update');
