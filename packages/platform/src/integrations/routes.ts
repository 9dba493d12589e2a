/** Integrations over HTTP. */
export { subscriptionRoutes as integrationsRoutes } from './subscriptions/routes.ts'
