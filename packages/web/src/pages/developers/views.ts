export const views = ['connect', 'can', 'try', 'subscriptions'] as const
export type DeveloperView = (typeof views)[number]
