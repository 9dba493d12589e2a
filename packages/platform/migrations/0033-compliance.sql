-- What compliance keeps besides the trail itself: records that are watched, access that is unusual, breaches and whom they affect.
-- Opaque ids, codes and times in plain; words are sealed under the tenant's key.

create table tenant.watched_record (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  subject_id uuid not null,
  since bigint not null,
  by_actor text not null,
  key_id uuid not null,
  reason bytea not null,              -- sealed
  primary key (tenant_id, subject_id)
);
select engine.make_tenant_table('tenant.watched_record');

create table tenant.unusual_access (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  kind text not null check (kind in ('volume', 'own-name', 'watched-record')),
  day date not null,                  -- UTC
  user_id text not null,
  subject_id uuid,                    -- null: many
  count int,
  usual double precision,
  found_at bigint not null,
  primary key (tenant_id, id),
  check ((kind = 'volume') = (subject_id is null))
);
-- A day that is looked at again tells nothing twice.
create unique index unusual_access_once
  on tenant.unusual_access (tenant_id, kind, day, user_id, coalesce(subject_id, '00000000-0000-0000-0000-000000000000'));
create index unusual_access_day on tenant.unusual_access (tenant_id, day, id);
select engine.make_tenant_table('tenant.unusual_access', 'select, insert');

create table tenant.unusual_access_checked (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  until date not null,
  primary key (tenant_id)
);
select engine.make_tenant_table('tenant.unusual_access_checked');

create table tenant.breach (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  status text not null check (status in ('assessing', 'notifiable', 'low-probability', 'closed')),
  discovered_at bigint not null,
  opened_at bigint not null,
  opened_by text not null,
  scope_from bigint not null,
  scope_to bigint not null,
  actors text[] not null,
  subjects uuid[] not null,
  affected int not null,
  computed_at bigint not null,
  individuals_at bigint,              -- when they were told
  hhs_at bigint,
  media_at bigint,
  key_id uuid not null,
  body bytea not null,                -- sealed: what happened, the four factors
  version int not null,
  primary key (tenant_id, id)
);
select engine.make_tenant_table('tenant.breach', 'select, insert, update');

create table tenant.breach_person (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  breach_id uuid not null,
  subject_id uuid not null,
  first_at bigint not null,
  last_at bigint not null,
  times int not null,
  primary key (tenant_id, breach_id, subject_id),
  foreign key (tenant_id, breach_id) references tenant.breach (tenant_id, id)
);
select engine.make_tenant_table('tenant.breach_person');
