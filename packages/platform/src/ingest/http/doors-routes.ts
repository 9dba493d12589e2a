/** Where devices bring their messages and which models can be read: what somebody who connects a device asks first. */
import { DoorList, ProfileList } from '@careloop/contract'
import { allProfiles } from '@careloop/profiles'
import { defineRoute, type Route } from '../../identity/index.ts'
import type { MqttDoor } from '../mqtt/mqtt-door.ts'

/** @param addresses of the doors of this process; none where it serves pages only */
export const doorsRoutes = (addresses: MqttDoor['addresses']): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/doors',
    summary: 'Where devices bring their messages by MQTT',
    policy: { action: 'read', resource: 'device' },
    response: { 200: DoorList },
    handler: async (ctx) => ctx.reply(200, { mqtt: addresses.map(({ door, host, port }) => ({ door, host, port })) }),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/profiles',
    summary: 'The device models that can be read',
    policy: { action: 'read', resource: 'profile' },
    response: { 200: ProfileList },
    handler: async (ctx) =>
      ctx.reply(200, {
        items: allProfiles.map(({ code, name, manufacturer, classification, signals, formats }) => ({
          ...{ code, name, classification, formats: [...formats] },
          ...(manufacturer === undefined ? {} : { manufacturer }),
          signals: signals.map(({ signal, unit }) => ({ signal, unit })),
        })),
      }),
  }),
]
