/** How a device's words reach a server: over a real protocol, with the device's own credential. */
import type { Utterance } from '../devices/virtual-device.ts'

/** A device's own token, or its certificate with key (PEM) and the authority by which it knows the server. */
export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'certificate'
      readonly certificate: string
      readonly privateKey: string
      readonly authority: string
    }

/**
 * What became of a message. `acknowledged`: the server has it and it is durable. `refused`: it never will take it as it is; the
 * reason is the protocol's (MQTT reason code, HTTP status and code).
 */
export type Answer =
  | { readonly outcome: 'acknowledged'; readonly messages: number }
  | { readonly outcome: 'refused'; readonly messages: number; readonly reason: string }

export interface Speaker {
  /** Says everything in order and resolves when all of it is answered. @throws when the server cannot be reached */
  say(utterances: readonly Utterance[]): Promise<readonly Answer[]>
  close(): Promise<void>
}
