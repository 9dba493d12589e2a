-- Erasure of a person: proposed by one, approved by another, never under a legal hold; and the ledger by which it survives a restore.
-- Reasons are sealed under the subject's own key and go with it. What stays says that, when, by whom and on which legal basis.

alter table tenant.subject add column erased_at bigint;

create table tenant.legal_hold (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  subject_id uuid not null,
  placed_by text not null,            -- actor as in the audit trail
  placed_at bigint not null,
  released_by text,
  released_at bigint,                 -- null = holds
  key_id uuid not null,
  reason bytea not null,              -- sealed
  release_reason bytea,               -- sealed
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id),
  check ((released_at is null) = (released_by is null)),
  check ((released_at is null) = (release_reason is null))
);
create index legal_hold_of on tenant.legal_hold (tenant_id, subject_id, placed_at);
select engine.make_tenant_table('tenant.legal_hold', 'select, insert, update (released_by, released_at, release_reason)');

create table tenant.erasure (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  subject_id uuid not null,
  status text not null check (status in ('proposed', 'executed', 'refused', 'withdrawn')),
  basis text not null check (basis in ('request', 'consent-withdrawn', 'retention-ended', 'made-in-error', 'order')),
  proposed_by text not null,          -- actor as in the audit trail
  proposed_at bigint not null,
  decided_by text,
  decided_at bigint,
  key_id uuid not null,
  reason bytea not null,              -- sealed
  primary key (tenant_id, id),
  foreign key (tenant_id, subject_id) references tenant.subject (tenant_id, id),
  check ((status = 'proposed') = (decided_at is null)),
  check ((decided_at is null) = (decided_by is null)),
  -- Whatever the code above says: nobody erases by themselves.
  check (status <> 'executed' or decided_by <> proposed_by)
);
create unique index erasure_open on tenant.erasure (tenant_id, subject_id) where status = 'proposed';
create index erasure_of on tenant.erasure (tenant_id, subject_id, proposed_at);
select engine.make_tenant_table('tenant.erasure', 'select, insert, update (status, decided_by, decided_at)');

-- A hold that comes at the same moment as an approval: one of the two waits for the row of the subject, and this looks then.
create function engine.held_is_not_erased() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  perform 1 from tenant.legal_hold h
    where h.tenant_id = new.tenant_id and h.subject_id = new.id and h.released_at is null;
  if found then raise exception 'a subject under legal hold is not erased' using errcode = 'check_violation'; end if;
  return null;
end $$;
create trigger held_is_not_erased after update of erased_at on tenant.subject for each row
  when (old.erased_at is null and new.erased_at is not null) execute function engine.held_is_not_erased();

-- Each row's mac covers the row and the mac before it, under a key that the database alone cannot open: nothing is changed, taken out
-- or put in between unnoticed; that nothing is missing at the end is told by the head that copies elsewhere know.
create table engine.erasure_ledger (
  seq bigint primary key check (seq > 0),
  tenant_id uuid not null,
  subject_id uuid not null,
  key_id uuid not null,
  erased_at bigint not null,
  mac bytea not null check (length(mac) = 32),
  unique (tenant_id, subject_id)
);
create function engine.refuse_ledger_change() returns trigger language plpgsql as $$
begin
  raise exception 'the erasure ledger is never changed or shortened' using errcode = 'insufficient_privilege';
end $$;
create trigger erasure_ledger_append_only before update or delete on engine.erasure_ledger
  for each statement execute function engine.refuse_ledger_change();
create trigger erasure_ledger_no_truncate before truncate on engine.erasure_ledger
  for each statement execute function engine.refuse_ledger_change();

grant delete on tenant.subject_zone to careloop_app;
