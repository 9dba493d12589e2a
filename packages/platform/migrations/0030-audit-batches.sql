-- The trail in Merkle batches: docs/security/audit.md. Entries are sealed in the order (xid, id), only those that no running
-- transaction can still precede, as facts are read; so a slow transaction is never skipped.
alter table tenant.audit_entry
  add column xid xid8 not null default pg_current_xact_id(),
  -- How often it happened: refusals of one kind within a minute are one entry with their number.
  add column times int not null default 1 check (times > 0);
create index audit_entry_order on tenant.audit_entry (xid, id);

-- The page asks newest first (id falls), by subject, principal, action, request or time.
drop index tenant.audit_entry_subject;
drop index tenant.audit_entry_principal;
drop index tenant.audit_entry_at;
create index audit_entry_subject on tenant.audit_entry (tenant_id, subject_id, id) where subject_id is not null;
create index audit_entry_principal on tenant.audit_entry (tenant_id, principal_id, id);
create index audit_entry_action on tenant.audit_entry (tenant_id, action, id);
create index audit_entry_request on tenant.audit_entry (tenant_id, request_id, id) where request_id is not null;
create index audit_entry_time on tenant.audit_entry (tenant_id, at);

-- The database, not the application, says when, in which transaction and with which number.
revoke insert on tenant.audit_entry from careloop_app;
grant insert (tenant_id, principal_kind, principal_id, action, outcome, resource, resource_id, subject_id, purpose,
  request_id, detail_key_id, detail, times) on tenant.audit_entry to careloop_app;

-- One tree for the whole installation: the sealer reads the entries of every tenant. It is the role that owns the table, which row-level
-- security holds too when it is no superuser.
create policy by_sealer on tenant.audit_entry for select to current_user using (true);

create table engine.audit_batch (
  number bigint primary key,          -- 0, 1, 2 ...
  entries int not null,
  tree_size bigint not null,          -- leaves up to and with this batch
  last_xid xid8 not null,             -- the last entry that this batch or one before it holds
  last_id bigint not null,
  leaves bytea not null,              -- 32 bytes an entry, in order
  frontier bytea not null,            -- roots of the perfect subtrees after it, largest first
  checkpoint text not null            -- signed note
);
alter table engine.audit_batch alter column leaves set storage external; -- hashes do not compress
create index audit_batch_size on engine.audit_batch (tree_size);
create trigger audit_batch_append_only before update or delete on engine.audit_batch
  for each statement execute function engine.refuse_audit_change();
create trigger audit_batch_no_truncate before truncate on engine.audit_batch
  for each statement execute function engine.refuse_audit_change();

-- What each sink off this machine has acknowledged.
create table engine.audit_delivery (
  sink text primary key,
  batch bigint not null,
  delivered_at timestamptz not null
);
