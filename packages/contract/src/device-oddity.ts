/** What is odd about how a device comes to the door; a person looks at each. */
export const deviceOddities = [
  /** Again and again a wrong token under this device's name. */
  'failed-authentication',
  /** A token or certificate that was revoked or has run out is still being shown. */
  'ended-credential',
  /** Two connections throw each other out, again and again: a copied credential, or one client id for two devices. */
  'taken-over-again-and-again',
  /** It spoke on the topic of another device. */
  'foreign-topic',
  /** A claim code that was used already was shown again: two devices have it, or somebody copied it. */
  'claim-code-reused',
  /** It sends more than its class may, for minutes. */
  'too-much',
] as const
export type DeviceOddity = (typeof deviceOddities)[number]
