/** Identity: who asks, and what they may do. Owns schema `auth` and `tenant.service_token`. */
export * from './principal.ts'
export * from './route.ts'
