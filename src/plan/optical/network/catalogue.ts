import type { AmplifierModel } from '../amplifier.ts';
import { constant } from '../curve.ts';
import { DEFAULT_REFERENCE_HZ, type Glass } from '../fibre.ts';
import {
  C_BAND_EDFA,
  DYNAMIC_GAIN_TILT,
  RAMAN_GAIN_TIMES_AREA,
  RAMAN_OFFSET_THZ,
  RAMAN_REFERENCE_HZ,
} from '../measured.ts';
import type { Settings } from '../system.ts';

/** Where the amplifiers, ROADMs and fibres of a network file come from, whose file names none. */
export const EQUIPMENT_SOURCE =
  'Open ROADM MSA optical specification 9.0 (in-line amplifier, preamplifier, add/drop OSNR 33 dB, PDL, DGD), noiseless booster by its convention';
export const FIBRE_SOURCE =
  'typical G.652 (17 ps/(nm·km), 83 µm²), G.655 (5, 72) and large-area fibre (22, 125); 0.04 ps/√km';

const raman = {
  offsetHz: Float64Array.from(RAMAN_OFFSET_THZ, (thz) => thz * 1e12),
  perPumpHz: Float64Array.from(RAMAN_GAIN_TIMES_AREA, (gain) => gain / RAMAN_REFERENCE_HZ),
};

const kinds = {
  ssmf: { dispersion: 1.67e-5, areaM2: 83e-12 },
  nzdf: { dispersion: 0.5e-5, areaM2: 72e-12 },
  lof: { dispersion: 2.2e-5, areaM2: 125e-12 },
} as const;

export type FibreKind = keyof typeof kinds;

export function glassOfKind(kind: FibreKind, lossDbPerKm: number): Glass {
  return {
    lossDbPerM: constant(lossDbPerKm * 1e-3),
    dispersion: constant(kinds[kind].dispersion),
    referenceHz: DEFAULT_REFERENCE_HZ,
    effectiveAreaM2: kinds[kind].areaM2,
    pmdCoefficient: 1.265e-15,
    raman,
  };
}

const common = {
  band: C_BAND_EDFA,
  gainMinDb: 0,
  gainFlatMaxDb: 27,
  maxPowerDbm: 22,
  noiseRippleDb: [0],
  gainRippleDb: [0],
  gainTilt: DYNAMIC_GAIN_TILT,
  autoVoa: false,
  forDesign: true,
  raman: false,
};

/** In-line amplifier MWi-standard: 27 dB at most, 3 ps, 0.7 dB. */
export const inline: AmplifierModel = {
  ...common,
  name: 'Open ROADM in-line',
  noise: { kind: 'openroadm', coefficients: [-5.952e-4, -6.25e-2, -1.071, 28.99] },
  pmdS: 3e-12,
  pdlDb: 0.7,
};

/** The amplifier in front of a ROADM; its PMD and PDL are in those of the ROADM. */
export const preamplifier: AmplifierModel = {
  ...common,
  name: 'Open ROADM preamplifier',
  noise: { kind: 'openroadm', coefficients: [-5.952e-4, -6.25e-2, -1.071, 27.99] },
  pmdS: 0,
  pdlDb: 0,
};

export const booster: AmplifierModel = {
  ...common,
  name: 'Open ROADM booster',
  gainFlatMaxDb: 32,
  noise: { kind: 'openroadm-booster' },
  pmdS: 0,
  pdlDb: 0,
};

export const ADD_DROP_OSNR_DB = 33;
export const ROADM_PMD_S = 3e-12;
export const ROADM_PDL_DB = 1.5;
export const ROADM_TARGET_DBM = -20;

/** Full C band on the grid of 50 GHz; powers are against 0 dBm per 50 GHz. */
export function settingsFor(marginDb: number): Settings {
  return {
    span: {
      powerMode: true,
      deltaPowerDb: [0, 0, 0],
      maxLossPerMForRamanDb: 2.5e-4,
      // max-extended-gain 31 dB of the in-line amplifier.
      extendedGainDb: 4,
      maxLengthM: 1e6,
      paddingDb: 11,
      endOfLifeDb: 0,
      connectorInDb: 0,
      connectorOutDb: 0,
      referenceLossDb: 20,
      powerSlope: 0.3,
      voaMarginDb: 1,
      voaStepDb: 0.5,
    },
    spectra: [
      {
        minHz: 191.3e12,
        maxHz: 196.1e12,
        spacingHz: 50e9,
        baudHz: 31.57e9,
        rollOff: 0.15,
        powerDbm: 0,
        txPowerDbm: 0,
        txOsnrDb: 36,
        marginDb,
        countForDesign: true,
      },
    ],
  };
}
