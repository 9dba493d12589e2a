/** Devices over HTTP. */
import {
  AssignmentCorrection,
  AssignmentEnd,
  AssignmentHistory,
  ClaimCodeList,
  ClaimCodeMade,
  CredentialList,
  DeviceCertificateIssued,
  DeviceClaim,
  DeviceClaimed,
  DeviceList,
  DeviceListQuery,
  DeviceRenewal,
  DeviceRenewed,
  DeviceSettings,
  DeviceSpan,
  DeviceTokenIssued,
  DeviceUpdate,
  DeviceView,
  GatewayList,
  GatewayView,
  Id,
  NewAssignment,
  NewClaimCode,
  NewDevice,
  NewDeviceCertificate,
  NewDeviceToken,
  NewGateway,
  SettingsView,
} from '@careloop/contract'
import { z } from 'zod'
import { defineRoute, type Route } from '../identity/index.ts'
import { byOf } from '../subjects/index.ts'
import type { Fleet } from './fleet.ts'

export const fleetRoutes = (fleet: Fleet): Route[] => [
  ...deviceRoutes(fleet),
  ...credentialRoutes(fleet),
  ...claimCodeRoutes(fleet),
  ...ownCredentialRoutes(fleet),
  ...assignmentRoutes(fleet),
  ...settingsRoutes(fleet),
  ...gatewayRoutes(fleet),
]

const byId = z.object({ id: Id })

function deviceRoutes(fleet: Fleet): Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/api/v1/devices',
      summary: 'Enrol a device',
      policy: { action: 'create', resource: 'device' },
      body: NewDevice,
      response: { 201: DeviceView },
      handler: async (ctx) => ctx.reply(201, await fleet.enrolDevice(byOf(ctx.principal, ctx.requestId), ctx.body)),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/devices',
      summary: 'Devices in the order of enrolment',
      policy: { action: 'read', resource: 'device' },
      query: DeviceListQuery,
      response: { 200: DeviceList },
      handler: async (ctx) =>
        ctx.reply(200, await fleet.listDevices(byOf(ctx.principal, ctx.requestId, 'assignment'), ctx.query)),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/devices/:id',
      summary: 'One device',
      policy: { action: 'read', resource: 'device' },
      params: byId,
      response: { 200: DeviceView },
      handler: async (ctx) =>
        ctx.reply(200, await fleet.device(byOf(ctx.principal, ctx.requestId, 'assignment'), ctx.params.id)),
    }),
    defineRoute({
      method: 'PUT',
      url: '/api/v1/devices/:id',
      summary: 'Put a new state of a device in place; its name stays',
      policy: { action: 'update', resource: 'device' },
      params: byId,
      body: DeviceUpdate,
      response: { 200: DeviceView },
      handler: async (ctx) =>
        ctx.reply(
          200,
          await fleet.updateDevice(byOf(ctx.principal, ctx.requestId, 'assignment'), ctx.params.id, ctx.body),
        ),
    }),
  ]
}

function credentialRoutes(fleet: Fleet): Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/api/v1/devices/:id/tokens',
      summary: 'Make a token for a device and show it this once',
      policy: { action: 'create', resource: 'credential' },
      stepUp: true,
      params: byId,
      body: NewDeviceToken,
      response: { 201: DeviceTokenIssued },
      handler: async (ctx) =>
        ctx.reply(
          201,
          await fleet.createDeviceToken(byOf(ctx.principal, ctx.requestId), ctx.params.id, ctx.body),
          secret,
        ),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/devices/:id/certificate',
      summary: 'Sign a certificate for a device; without a request its key is made here and shown this once',
      policy: { action: 'create', resource: 'certificate' },
      stepUp: true,
      params: byId,
      body: NewDeviceCertificate,
      response: { 201: DeviceCertificateIssued },
      handler: async (ctx) =>
        ctx.reply(
          201,
          await fleet.issueCertificate(byOf(ctx.principal, ctx.requestId), ctx.params.id, ctx.body),
          secret,
        ),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/devices/:id/credentials',
      summary: 'Credentials of a device, without their secrets',
      policy: { action: 'read', resource: 'credential' },
      params: byId,
      response: { 200: CredentialList },
      handler: async (ctx) => ctx.reply(200, { items: await fleet.credentials(ctx.tenant, ctx.params.id) }),
    }),
    defineRoute({
      method: 'DELETE',
      url: '/api/v1/devices/:id/credentials/:credential',
      summary: 'Revoke a credential: doors close its connections',
      policy: { action: 'delete', resource: 'credential' },
      stepUp: true,
      params: z.object({ id: Id, credential: Id }),
      response: { 204: 'empty' },
      async handler(ctx) {
        await fleet.revokeCredential(byOf(ctx.principal, ctx.requestId), ctx.params.id, ctx.params.credential)
        return ctx.reply(204, undefined)
      },
    }),
  ]
}

function claimCodeRoutes(fleet: Fleet): Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/api/v1/devices/:id/claim-codes',
      summary: 'Make a one-time code by which the device fetches its own credential',
      description: 'Codes made before are void. When the device uses it, all credentials that it had end.',
      policy: { action: 'create', resource: 'credential' },
      // Whoever uses it speaks as the device from then on, and nobody else does.
      stepUp: true,
      params: byId,
      body: NewClaimCode,
      response: { 201: ClaimCodeMade },
      handler: async (ctx) =>
        ctx.reply(201, await fleet.makeClaimCode(byOf(ctx.principal, ctx.requestId), ctx.params.id, ctx.body), secret),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/devices/:id/claim-codes',
      summary: 'Claim codes of a device, newest first, without the codes themselves',
      policy: { action: 'read', resource: 'credential' },
      params: byId,
      response: { 200: ClaimCodeList },
      handler: async (ctx) => ctx.reply(200, { items: await fleet.claimCodes(ctx.tenant, ctx.params.id) }),
    }),
    defineRoute({
      method: 'DELETE',
      url: '/api/v1/devices/:id/claim-codes/:claim',
      summary: 'Void a claim code that was not used',
      policy: { action: 'delete', resource: 'credential' },
      params: z.object({ id: Id, claim: Id }),
      response: { 204: 'empty' },
      async handler(ctx) {
        await fleet.voidClaimCode(byOf(ctx.principal, ctx.requestId), ctx.params.id, ctx.params.claim)
        return ctx.reply(204, undefined)
      },
    }),
  ]
}

/** A ward's devices may all stand behind one address; a code has 50 bits. */
const claimsPerMinute = 60

function ownCredentialRoutes(fleet: Fleet): Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/api/v1/devices/claim',
      summary: 'A device fetches its credential with a one-time code: a certificate for its request, or a token',
      policy: 'public',
      body: DeviceClaim,
      maxBodyBytes: 32 * 1024,
      perMinute: claimsPerMinute,
      response: { 201: DeviceClaimed },
      handler: async (ctx) => ctx.reply(201, await fleet.claim(ctx.body), secret),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/devices/renew',
      summary: 'A device renews its certificate, with a request signed for by the key that it has',
      policy: 'public',
      body: DeviceRenewal,
      maxBodyBytes: 64 * 1024,
      perMinute: claimsPerMinute,
      response: { 201: DeviceRenewed },
      handler: async (ctx) => ctx.reply(201, await fleet.renew(ctx.body), secret),
    }),
  ]
}

/** What is shown once must not stay in a cache on the way. */
const secret = { headers: { 'cache-control': 'no-store' } }

function assignmentRoutes(fleet: Fleet): Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/api/v1/devices/:id/assignments',
      summary: 'Put a device on a subject',
      policy: { action: 'create', resource: 'assignment' },
      params: byId,
      body: NewAssignment,
      response: { 201: DeviceSpan },
      handler: async (ctx) =>
        ctx.reply(
          201,
          await fleet.assign(
            byOf(ctx.principal, ctx.requestId, 'assignment', 'create'),
            ctx.params.id,
            ctx.body.subject,
            ctx.body.from ?? null,
          ),
        ),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/devices/:id/assignments/end',
      summary: 'Take a device off',
      policy: { action: 'update', resource: 'assignment' },
      params: byId,
      body: AssignmentEnd,
      response: { 200: DeviceSpan },
      handler: async (ctx) =>
        ctx.reply(
          200,
          await fleet.unassign(
            byOf(ctx.principal, ctx.requestId, 'assignment', 'update'),
            ctx.params.id,
            ctx.body.to ?? null,
          ),
        ),
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/devices/:id/assignments/correct',
      summary: 'Correct who wore a device, back-dated too; readings move with it',
      policy: { action: 'update', resource: 'assignment' },
      params: byId,
      body: AssignmentCorrection,
      response: { 200: AssignmentHistory },
      async handler(ctx) {
        const by = byOf(ctx.principal, ctx.requestId, 'assignment', 'update')
        await fleet.correctAssignment(by, ctx.params.id, ctx.body)
        return ctx.reply(200, await fleet.assignmentHistory(by, ctx.params.id))
      },
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/devices/:id/assignments',
      summary: 'Who wore a device, and what was believed before corrections',
      policy: { action: 'read', resource: 'assignment' },
      params: byId,
      response: { 200: AssignmentHistory },
      handler: async (ctx) =>
        ctx.reply(200, await fleet.assignmentHistory(byOf(ctx.principal, ctx.requestId, 'assignment'), ctx.params.id)),
    }),
  ]
}

function settingsRoutes(fleet: Fleet): Route[] {
  return [
    defineRoute({
      method: 'PUT',
      url: '/api/v1/devices/:id/settings',
      summary: 'Put new settings in place; they are sent to the device',
      policy: { action: 'update', resource: 'device' },
      params: byId,
      body: DeviceSettings,
      response: { 200: SettingsView },
      handler: async (ctx) =>
        ctx.reply(200, await fleet.setSettings(byOf(ctx.principal, ctx.requestId), ctx.params.id, ctx.body)),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/devices/:id/settings',
      summary: 'Settings of a device',
      policy: { action: 'read', resource: 'device' },
      params: byId,
      response: { 200: SettingsView },
      handler: async (ctx) =>
        ctx.reply(200, await fleet.readSettings(byOf(ctx.principal, ctx.requestId), ctx.params.id)),
    }),
  ]
}

function gatewayRoutes(fleet: Fleet): Route[] {
  return [
    defineRoute({
      method: 'POST',
      url: '/api/v1/gateways',
      summary: 'Enrol a gateway',
      policy: { action: 'create', resource: 'gateway' },
      body: NewGateway,
      response: { 201: GatewayView },
      handler: async (ctx) => ctx.reply(201, await fleet.enrolGateway(byOf(ctx.principal, ctx.requestId), ctx.body)),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/v1/gateways',
      summary: 'All gateways',
      policy: { action: 'read', resource: 'gateway' },
      response: { 200: GatewayList },
      handler: async (ctx) => ctx.reply(200, { items: await fleet.gateways(ctx.tenant) }),
    }),
  ]
}
