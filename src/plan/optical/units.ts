/** Constants of nature (CODATA 2018, exact by definition of the SI). */
export const LIGHT_SPEED_M_PER_S = 299_792_458;
export const PLANCK_J_S = 6.626_070_15e-34;
export const BOLTZMANN_J_PER_K = 1.380_649e-23;

/** The noise bandwidth in which OSNR is quoted: 0.1 nm near 1550 nm. */
export const REFERENCE_BANDWIDTH_HZ = 12.5e9;

/** An exponential costs a fraction of a power of ten, and both are right to a few units in the last place. */
const NEPER_PER_DB = Math.LN10 / 10;

export function fromDb(db: number): number {
  return Math.exp(db * NEPER_PER_DB);
}

export function toDb(ratio: number): number {
  return 10 * Math.log10(ratio);
}

export function toDbm(powerW: number): number {
  return 10 * Math.log10(powerW * 1e3);
}

export function fromDbm(powerDbm: number): number {
  return fromDb(powerDbm) * 1e-3;
}

/** Power of a channel from its spectral density over a width. */
export function densityToDbm(milliwattPerGhz: number, widthHz: number): number {
  return toDb(widthHz * milliwattPerGhz * 1e-9);
}

/** To a step of at least 0.1, halves to the even neighbour, one decimal left; a step of 0 rounds to hundredths: how set points are entered. */
export function roundToStep(value: number, step: number): number {
  const coarse = roundDecimals(step, 1);
  if (coarse < 0.01) return roundDecimals(value, 2);
  return roundDecimals(roundHalfEven(value / coarse) * coarse, 1);
}

function roundDecimals(value: number, digits: number): number {
  const scale = 10 ** digits;
  const rounded = roundHalfEven(value * scale) / scale;
  return Number.isFinite(rounded) ? rounded : value;
}

/** Rounds halves to the even neighbour (IEEE 754 roundTiesToEven). */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const part = value - floor;
  if (part !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
