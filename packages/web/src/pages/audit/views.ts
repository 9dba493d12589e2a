export const views = ['who', 'trail', 'unusual', 'disclosures'] as const
export type AuditView = (typeof views)[number]
