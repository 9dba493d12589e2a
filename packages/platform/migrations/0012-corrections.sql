-- Alerts whose readings turned out to be another's: docs/adr/0007-corrections-and-alerts.md.

-- Devices of the alert's evidence whose readings belong to somebody else, or to nobody, now. Empty: the alert is about its subject.
alter table tenant.alert add column moved_devices uuid[] not null default '{}';

alter table tenant.alert_event drop constraint alert_event_what_check;
alter table tenant.alert_event add constraint alert_event_what_check check (what in
  ('raised', 'cleared', 'recurred', 'evidence-changed', 'found-late', 'wrong-subject', 'right-subject', 'acknowledged', 'closed'));
-- What was told since an instant: a correction looks through its evidence.
create index alert_event_recorded on tenant.alert_event (tenant_id, recorded_at);

alter table tenant.task_event drop constraint task_event_what_check;
alter table tenant.task_event add constraint task_event_what_check check (what in
  ('opened', 'recurred', 'evidence-changed', 'claimed', 'completed'));
