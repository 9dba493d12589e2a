/** Events of network servers, for tests: as ChirpStack v4 and The Things Stack v3 send them. */
import { json } from './material.ts'

export const UPLINK_TIME = Date.UTC(2026, 10, 22, 8, 30, 15, 123)

/** Zero and empty fields are left out, as the servers do. */
export const chirpStackUplink = (fPort: number, payload: Uint8Array, more: Record<string, unknown> = {}): Uint8Array =>
  json({
    deduplicationId: '3ac7e3c4-4401-4b8d-9386-a5c902f9202d',
    time: '2026-11-22T09:30:15.123456+01:00',
    deviceInfo: { tenantName: 'Site', applicationName: 'Fridges', deviceName: 'fridge-1', devEui: '24e124136b000001' },
    devAddr: '00189440',
    dr: 1,
    ...(fPort === 0 ? {} : { fPort }),
    ...(payload.length === 0 ? {} : { data: Buffer.from(payload).toString('base64') }),
    rxInfo: [
      { gatewayId: '0016c001f153a14c', rssi: -97, snr: 4.5 },
      { gatewayId: '0016c001f153a14d', rssi: -48, snr: 9.8 },
    ],
    ...more,
  })

/** A webhook of The Things Stack. `message` changes the uplink message, `more` the event around it. */
export const thingsStackUplink = (
  fPort: number,
  payload: Uint8Array,
  message: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): Uint8Array =>
  json({
    end_device_ids: {
      device_id: 'fridge-1',
      application_ids: { application_id: 'fridges' },
      dev_eui: '24E124136B000001',
    },
    received_at: '2026-11-22T08:30:15.400Z',
    uplink_message: {
      session_key_id: 'AYxyz',
      ...(fPort === 0 ? {} : { f_port: fPort }),
      ...(payload.length === 0 ? {} : { frm_payload: Buffer.from(payload).toString('base64') }),
      rx_metadata: [{ gateway_ids: { gateway_id: 'gw' }, rssi: -60, snr: 8 }],
      received_at: '2026-11-22T08:30:15.123456789Z',
      ...message,
    },
    ...more,
  })
