/** Profiles of LoRaWAN sensors, arriving as events of ChirpStack v4 or The Things Stack v3. */
import { defineProfile, type Profile, plainSignals } from '../profile.ts'
import { lht65Codec } from './lht65.ts'
import { milesightCodec } from './milesight.ts'
import {
  am100,
  am307,
  am308,
  am319,
  em300Door,
  em300Leak,
  em300Th,
  em500Pt100,
  type Model,
} from './milesight-channels.ts'
import { lorawanCodec, type PayloadCodec } from './uplink.ts'

const radio = ['signal-strength', 'signal-to-noise', 'battery-level']

const lorawan = (
  code: string,
  manufacturer: string,
  name: string,
  signals: readonly string[],
  codec: PayloadCodec,
): Profile =>
  defineProfile({
    code,
    name,
    manufacturer,
    classification: 'operational',
    formats: ['profile'],
    signals: plainSignals([...signals, ...radio]),
    decode: lorawanCodec(codec),
  })

const milesight = (code: string, name: string, model: Model, signals: readonly string[]): Profile =>
  lorawan(`milesight-${code}`, 'Milesight', name, signals, milesightCodec(model))

const climate = ['temperature-ambient', 'humidity']
const indoor = [...climate, 'motion', 'light-level', 'co2', 'voc-index', 'voc', 'pressure-air']

export const lorawanProfiles: readonly Profile[] = [
  milesight('em300-th', 'EM300-TH temperature and humidity', em300Th, climate),
  milesight('em320-th', 'EM320-TH temperature and humidity', em300Th, climate),
  milesight('em300-sld', 'EM300-SLD spot leak detector', em300Leak, [...climate, 'leak']),
  milesight('em300-zld', 'EM300-ZLD zone leak detector', em300Leak, [...climate, 'leak']),
  milesight('em300-mcs', 'EM300-MCS door contact', em300Door, [...climate, 'door-open']),
  milesight('em500-pt100', 'EM500-PT100 platinum probe', em500Pt100, ['temperature-probe']),
  milesight('am103', 'AM103 indoor air', am100, [...climate, 'co2']),
  milesight('am104', 'AM104 indoor air', am100, [
    ...climate,
    'activity',
    'illuminance',
    'broadband-light',
    'infrared-light',
  ]),
  milesight('am307', 'AM307 indoor air', am307, indoor),
  milesight('am308', 'AM308 and AM308L indoor air', am308, [...indoor, 'pm2-5', 'pm10']),
  milesight('am319', 'AM319 indoor air, with formaldehyde', am319, [...indoor, 'pm2-5', 'pm10', 'formaldehyde']),
  lorawan(
    'dragino-lht65',
    'Dragino',
    'LHT65 temperature, humidity and external sensor',
    [
      ...climate,
      'temperature-probe',
      'battery-voltage',
      'digital-input',
      'input-triggered',
      'illuminance',
      'voltage',
      'count',
    ],
    lht65Codec,
  ),
]
