-- Tasks: what one named person has to do about one alert, by when. Disposition and note are sealed under the subject's key.

create table tenant.task (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  alert_id uuid not null,
  subject_id uuid not null,
  enrolment_id uuid not null,
  owner_id text not null,             -- staff user
  backup_id text,
  status text not null check (status in ('open', 'claimed', 'completed')),
  priority text not null check (priority in ('high', 'medium', 'low')),
  review boolean not null,            -- of something found late: nobody is paged
  opened_at bigint not null,
  due_at bigint not null,
  claimed_by text,
  claimed_at bigint,
  completed_by text,
  completed_at bigint,
  version int not null,
  key_id uuid,
  outcome bytea,                      -- sealed: disposition, note, what was ticked off
  primary key (tenant_id, id),
  foreign key (tenant_id, alert_id) references tenant.alert (tenant_id, id),
  check ((claimed_by is null) = (claimed_at is null)),
  check (status <> 'claimed' or claimed_by is not null),
  check ((status = 'completed') = (completed_at is not null and completed_by is not null and outcome is not null)),
  check ((outcome is null) = (key_id is null))
);
create unique index task_open on tenant.task (tenant_id, alert_id) where status <> 'completed';
create index task_todo on tenant.task (tenant_id, due_at, id) where status <> 'completed';
create index task_of_subject on tenant.task (tenant_id, subject_id, opened_at);
select engine.make_tenant_table('tenant.task', 'select, insert, update');

create table tenant.task_event (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  task_id uuid not null,
  id bigint generated always as identity,
  what text not null check (what in ('opened', 'recurred', 'claimed', 'completed')),
  at bigint not null,
  actor text not null,                -- as in the audit trail
  primary key (tenant_id, task_id, id),
  foreign key (tenant_id, task_id) references tenant.task (tenant_id, id)
);
select engine.make_tenant_table('tenant.task_event', 'select, insert');
