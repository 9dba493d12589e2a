-- What was given to systems outside: attempts to deliver notifications.

-- Each time that a mail server was asked to take an intent; written before it is asked.
create table tenant.delivery_attempt (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  intent_id uuid not null,
  number int not null,
  begun_at bigint not null,
  handed_at bigint,                   -- from here on the mail server may have it
  ended_at bigint,                    -- null = under way, or cut off by the end of the process
  -- unknown: cut off after it was handed over, so it may have arrived; interrupted: cut off before, so it has not.
  outcome text check (outcome in ('accepted', 'refused', 'unreachable', 'unknown', 'interrupted', 'withdrawn')),
  detail text,                        -- what the mail server said, in its code and our words; no address
  primary key (tenant_id, intent_id, number),
  foreign key (tenant_id, intent_id) references tenant.notification_intent (tenant_id, id),
  check ((ended_at is null) = (outcome is null))
);
select engine.make_tenant_table('tenant.delivery_attempt', 'select, insert, update');
