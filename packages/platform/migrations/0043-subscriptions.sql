-- Subscriptions of systems outside (FHIR R5 backport in R4): what they asked for, how far they were told, and their numbered events.
-- Opaque ids, codes and times in plain; endpoint, headers and filters are sealed under the tenant's key.

create table tenant.subscription (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,                   -- rid of the Subscription in the clinical store
  owner text not null,                -- actor: staff:<id> or service:<id>
  status text not null check (status in ('requested', 'active', 'error', 'off')),
  reason text,                        -- why it is in error or off, a code
  topic text not null,
  payload text not null check (payload in ('empty', 'id-only', 'full-resource')),
  heartbeat_ms bigint,                -- null = none
  timeout_ms int not null,
  max_count int not null,
  end_at bigint,
  created_at bigint not null,
  changed_at bigint not null,
  activated_at bigint,
  events bigint not null default 0,   -- number of the newest event
  delivered bigint not null default 0,  -- number of the newest event that the endpoint took
  attempt bigint not null default 0,  -- grows with each conversation: a late one changes nothing
  in_hand_until bigint,               -- a conversation is under way; null = none
  failures int not null default 0,    -- in a row
  failing_since bigint,
  next_try_at bigint,                 -- while failing
  told_at bigint,                     -- when the endpoint last took a notification
  trouble text,                       -- class of the last failure, a code
  trouble_at bigint,
  key_id uuid not null,
  body bytea not null,                -- sealed
  primary key (tenant_id, id),
  check (delivered <= events),
  check ((failing_since is null) = (failures = 0))
);
create index subscription_live on tenant.subscription (tenant_id, topic, id) where status in ('active', 'error');
select engine.make_tenant_table('tenant.subscription');

-- Numbers have no gaps: a row is written in the transaction that moves the reader of facts, and raises `subscription.events`.
create table tenant.subscription_event (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  subscription_id uuid not null,
  number bigint not null,
  fact text not null,                 -- position of the fact: one event of each
  at bigint not null,
  type text not null,                 -- type of the resource
  rid uuid,                           -- of the resource; null = the person was erased
  subject_id uuid,
  disclosed_at bigint,                -- when it stood in the accounting of disclosures
  primary key (tenant_id, subscription_id, number),
  foreign key (tenant_id, subscription_id) references tenant.subscription (tenant_id, id) on delete cascade
);
create unique index subscription_event_once on tenant.subscription_event (tenant_id, subscription_id, fact);
create index subscription_event_subject on tenant.subscription_event (tenant_id, subject_id) where subject_id is not null;
create index subscription_event_at on tenant.subscription_event (tenant_id, at);
select engine.make_tenant_table('tenant.subscription_event');
