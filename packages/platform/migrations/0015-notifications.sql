-- Who is told of a task, by which way, and what became of it: docs/notifications.md.

-- How far it was escalated: 0 = owner only, 1 = backup, 2 = everybody of the owner's role.
alter table tenant.task add column escalation int not null default 0;
-- Told in the pages only, never by e-mail: a review, or a condition that had passed before anybody could be told.
alter table tenant.task add column quiet boolean not null default false;
-- When somebody was first told, from which escalation counts; null = nobody yet, since Careloop was catching up.
alter table tenant.task add column paged_at bigint;
-- Forced row-level security holds the owner of the table too, and a migration works for no tenant.
alter table tenant.task no force row level security;
update tenant.task set quiet = review, paged_at = opened_at;
alter table tenant.task force row level security;
alter table tenant.task_event add column to_staff text[] not null default '{}'; -- who was told

-- One row for whom to tell what by which way; written with what causes it. No name and no value: the title is that of the rule.
create table tenant.notification_intent (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  task_id uuid not null,
  event_id bigint not null,           -- of task_event: the transition that causes it
  recipient text not null,            -- staff user
  channel text not null check (channel in ('in-app', 'email')),
  step int not null check (step in (0, 1, 2)),
  why text not null check (why in
    ('raised', 'recurred', 'reminder', 'overdue', 'handed-off', 'undelivered', 'evidence-changed')),
  priority text not null check (priority in ('high', 'medium', 'low')),
  title text not null,
  created_at bigint not null,
  wanted_at bigint not null,          -- when it ought to have been made; earlier than created_at: the server was down
  attempts int not null default 0,    -- times that it was begun to be given to the channel
  delivered_at bigint,
  failed_at bigint,                   -- it was tried too often: the next step was told; trying goes on
  failure text,                       -- what the last failed attempt ended with
  repeated text,                      -- why it was sent again
  cancelled text check (cancelled in ('acknowledged', 'completed', 'passed', 'no-address', 'replaced')),
  cancelled_at bigint,
  seen_at bigint,
  primary key (tenant_id, id),
  foreign key (tenant_id, task_id) references tenant.task (tenant_id, id),
  check ((cancelled is null) = (cancelled_at is null)),
  check (delivered_at is null or cancelled is null)
);
create unique index notification_intent_once
  on tenant.notification_intent (tenant_id, task_id, event_id, recipient, channel, step, why);
create index notification_intent_of on tenant.notification_intent (tenant_id, recipient, channel, created_at);
select engine.make_tenant_table('tenant.notification_intent', 'select, insert, update');
