import type { Server } from 'node:http'
export function makeServer(settings: () => { readonly client: string; readonly fhir: string }): Server
