/** Integrations: what is given to systems outside. Mail so far. Owns delivery_attempt. */
export { integrationsFacts } from './facts.ts'
export { tryMailServer } from './mail-server.ts'
export { type MailSettings, readMailSettings } from './mail-settings.ts'
export { mailStage } from './stages.ts'
