-- Programs and rules as activated, alerts, what happened to them, and the evaluator's checkpoints.
-- A rule version never changes: an alert of years ago still says by which limits it was raised. What an alert says and shows is
-- sealed under its subject's key. Times are bigint, ms since epoch.

create table tenant.program (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  code text not null,
  definition jsonb not null,          -- title, use, notice, subject kind: no PHI
  installed_at bigint not null,
  primary key (tenant_id, code)
);
select engine.make_tenant_table('tenant.program', 'select, insert, update');

create table tenant.rule (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  program text not null,
  code text not null,
  place int not null,                 -- order within its program
  active_version int,                 -- null = not evaluated
  primary key (tenant_id, id),
  foreign key (tenant_id, program) references tenant.program (tenant_id, code)
);
create unique index rule_code on tenant.rule (tenant_id, program, code);
select engine.make_tenant_table('tenant.rule', 'select, insert, update');

create table tenant.rule_version (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  rule_id uuid not null,
  version int not null,
  definition jsonb not null,
  sha256 bytea not null,              -- of the definition as JSON with sorted keys
  activated_at bigint not null,
  activated_by text not null,         -- actor as in the audit trail
  primary key (tenant_id, rule_id, version),
  foreign key (tenant_id, rule_id) references tenant.rule (tenant_id, id)
);
select engine.make_tenant_table('tenant.rule_version', 'select, insert');

create table tenant.alert (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  rule_id uuid not null,
  rule_version int not null,
  program text not null,
  subject_id uuid not null,
  enrolment_id uuid not null,
  focus text not null,                -- '' = the subject as a whole; a device id; 'technical'
  priority text not null check (priority in ('high', 'medium', 'low')),
  nature text not null check (nature in ('physiological', 'environmental', 'technical')),
  condition text not null check (condition in ('active', 'cleared')),
  handling text not null check (handling in ('new', 'acknowledged', 'closed')),
  historic boolean not null,
  raised_at bigint not null,          -- event time
  recorded_at bigint not null,        -- when Careloop knew
  cleared_at bigint,
  closed_at bigint,
  key_id uuid not null,
  summary bytea not null,             -- sealed: the sentence and the value
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id),
  foreign key (tenant_id, rule_id, rule_version) references tenant.rule_version (tenant_id, rule_id, version),
  check ((condition = 'cleared') = (cleared_at is not null)),
  check ((handling = 'closed') = (closed_at is not null))
);
-- A conflict here is a bug, not a way to drop doubles.
create unique index alert_open on tenant.alert (tenant_id, rule_id, subject_id, focus) where handling <> 'closed';
create index alert_latest on tenant.alert (tenant_id, rule_id, subject_id, focus, raised_at);
create index alert_of_subject on tenant.alert (tenant_id, subject_id, raised_at);
select engine.make_tenant_table('tenant.alert', 'select, insert, update');

create table tenant.alert_event (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  alert_id uuid not null,
  id bigint generated always as identity,
  what text not null check (what in
    ('raised', 'cleared', 'recurred', 'evidence-changed', 'found-late', 'acknowledged', 'closed')),
  at bigint not null,                 -- event time
  recorded_at bigint not null,
  actor text,                         -- as in the audit trail; null = the evaluator
  -- The log entry that decided it, and which of its transitions: a replay is compared with this. Null for what people do.
  partition int,
  position bigint,
  ordinal int,
  key_id uuid,
  detail bytea,                       -- sealed: readings and frames that were evidence
  primary key (tenant_id, alert_id, id),
  foreign key (tenant_id, alert_id) references tenant.alert (tenant_id, id),
  check ((detail is null) = (key_id is null)),
  check ((position is null) = (actor is not null))
);
alter table tenant.alert_event alter column detail set storage external; -- sealed bytes do not compress
create unique index alert_event_once on tenant.alert_event (tenant_id, partition, position, ordinal);
select engine.make_tenant_table('tenant.alert_event', 'select, insert');

-- States as of `position`: a subject's row is older than that only when nothing of it changed since.
create table engine.evaluator_partition (
  partition int primary key,
  position bigint not null,
  log_now bigint not null
);
create table engine.evaluator_checkpoint (
  partition int not null,
  subject_id uuid not null,
  tenant_id uuid not null,
  position bigint not null,
  key_id uuid not null,
  body bytea not null,                -- sealed under the subject's key; format in packages/rules/src/state.ts
  primary key (partition, subject_id)
);
alter table engine.evaluator_checkpoint alter column body set storage external;
