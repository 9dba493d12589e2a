/** Device models as data, and the codecs that turn their bytes into readings. Pure: no I/O, no clock. */
export { type Advertisement, readAdvertisement } from './advertisement/advertisement.ts'
export { decodeBtHome } from './advertisement/bthome.ts'
export { decodeRuuvi, ruuviPayload } from './advertisement/ruuvi.ts'
export { allProfiles, profile } from './catalog.ts'
export { errors } from './errors.ts'
export { characteristics, decodeCharacteristic } from './gatt/characteristic.ts'
export { continuousGlucose } from './gatt/continuous-glucose.ts'
export { float, sfloat } from './gatt/ieee-11073.ts'
export {
  type Classification,
  type DecodeContext,
  defineProfile,
  type Profile,
  type ProfileData,
  type ProfileSignal,
} from './profile.ts'
