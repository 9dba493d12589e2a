-- Resources of a type by their clinical date, for searches that name neither patient nor code.
create index clinical_resource_at on tenant.clinical_resource (tenant_id, type, at, seq);
