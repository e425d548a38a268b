import { addAse, addPdl, addPmd, attenuateDb, type Band, type Comb, totalPowerW } from './comb.ts';
import { interpolateEven } from './curve.ts';
import { fromDb, PLANCK_J_S, toDb, toDbm } from './units.ts';

/** How the noise figure of an amplifier depends on where it works. */
export type NoiseModel =
  | { kind: 'fixed'; nfDb: number }
  /** Two coils with a loss between them: the noise figures of both and the difference of their maximal powers. */
  | { kind: 'two-coils'; nf1Db: number; nf2Db: number; deltaPDb: number }
  /** A polynomial, highest power first, of how far the gain is below the flat maximum (a negative number). */
  | { kind: 'polynomial'; coefficients: readonly number[] }
  /** OpenROADM in-line amplifier: OSNR as a polynomial of the power per 50 GHz at the input. */
  | { kind: 'openroadm'; coefficients: readonly number[] }
  | { kind: 'openroadm-preamp' }
  /** OpenROADM states the noise of add and drop for the whole ROADM; its booster adds none. */
  | { kind: 'openroadm-booster' }
  /** The first stage at its flat maximum, the second with the rest. */
  | { kind: 'two-stages'; first: Stage; second: Stage };

export interface Stage {
  gainMinDb: number;
  gainFlatMaxDb: number;
  noise: NoiseModel;
}

/** An amplifier of the library. */
export interface AmplifierModel extends Stage {
  name: string;
  band: Band;
  maxPowerDbm: number;
  /** Deviations over the band, evenly spread from its lower to its upper end, dB. */
  noiseRippleDb: readonly number[];
  gainRippleDb: readonly number[];
  /** Dynamic gain tilt: how the gain changes over the band when the pumps change. */
  gainTilt: readonly number[];
  /** Auto-design may drive it to its power and take the rest off behind. */
  autoVoa: boolean;
  forDesign: boolean;
  raman: boolean;
  pmdS: number;
  pdlDb: number;
}

export interface Amplifier {
  kind: 'amplifier';
  uid: string;
  /** Unset until chosen. */
  model: AmplifierModel | undefined;
  gainDb: number | undefined;
  /** Wanted power of a reference channel at the output against the reference power, where the user or design has set it. */
  deltaPDb: number | undefined;
  tiltDb: number | undefined;
  outVoaDb: number | undefined;
  inVoaDb: number;
  /** Models that auto-design may choose from, where the element itself restricts them. */
  allowed: readonly string[];
}

/** One amplifier per band between two splitters. */
export interface MultiBandAmplifier {
  kind: 'multi-band';
  uid: string;
  model: string | undefined;
  bands: Amplifier[];
  allowed: readonly string[];
}

/** What an amplifier did, for the report. */
export interface AmplifierState {
  gainDb: number;
  /** Mean over the channels; −∞ for one that is noiseless by definition. */
  nfDb: number;
  inputDbm: number;
  outputDbm: number;
  saturated: boolean;
  /** How far the gain is above the largest flat one of the model; 0 where it is not. */
  overGainDb: number;
}

/** Amplifies all channels of a comb; the comb lies in the band of the amplifier. */
export function amplify(comb: Comb, amplifier: Amplifier): AmplifierState {
  const { model, gainDb: wantedDb } = amplifier;
  if (!model || wantedDb === undefined) throw new Error(`amplifier ${amplifier.uid} is not designed`);
  attenuateDb(comb, amplifier.inVoaDb);
  const inputDbm = toDbm(totalPowerW(comb));
  const gainDb = Math.min(wantedDb, model.maxPowerDbm - inputDbm);
  const nfDb = noiseFigureDb(model, gainDb, { inputDbm, count: comb.count, slotHz: slotOf(comb) });
  const profileDb = gainProfileDb(comb, amplifier, model, gainDb, inputDbm);
  const outVoaDb = amplifier.outVoaDb ?? 0;
  const flatNoise = model.noiseRippleDb.every((ripple) => ripple === 0);
  let factor = 0;
  const noiseFactor = fromDb(nfDb);
  for (let i = 0; i < comb.count; i++) {
    const ripple = flatNoise ? 0 : rippleAt(model.noiseRippleDb, model.band, comb.frequencyHz[i]!);
    const noise = ripple === 0 ? noiseFactor : fromDb(nfDb + ripple);
    if (noise > 0) addAse(comb, i, PLANCK_J_S * comb.baudHz[i]! * comb.frequencyHz[i]! * noise);
    if (i === 0 || typeof profileDb !== 'number')
      factor = fromDb((typeof profileDb === 'number' ? profileDb : profileDb[i]!) - outVoaDb);
    comb.powerW[i]! *= factor;
  }
  addPmd(comb, model.pmdS);
  addPdl(comb, model.pdlDb);
  const saturated = gainDb < wantedDb - 1e-9;
  const overGainDb = Math.max(0, gainDb - model.gainFlatMaxDb);
  return { gainDb, nfDb, inputDbm, outputDbm: toDbm(totalPowerW(comb)), saturated, overGainDb };
}

function slotOf({ count, frequencyHz, slotHz }: Comb): number {
  return count > 1 ? frequencyHz[1]! - frequencyHz[0]! : slotHz[0]!;
}

function rippleAt(ripple: readonly number[], { minHz, maxHz }: Band, atHz: number): number {
  return interpolateEven(ripple, minHz, maxHz, atHz);
}

/** What the OpenROADM models depend on beside the gain. */
export interface Load {
  inputDbm: number;
  count: number;
  slotHz: number;
}

/** Noise figure at a gain; below the least gain the difference is an attenuator in front and counts in full. */
export function noiseFigureDb(stage: Stage, gainDb: number, load: Load): number {
  const { noise, gainFlatMaxDb } = stage;
  if (noise.kind === 'two-stages') {
    const firstGainDb = noise.first.gainFlatMaxDb;
    const first = noiseFigureDb(noise.first, firstGainDb, load);
    const second = noiseFigureDb(noise.second, gainDb - firstGainDb, load);
    return toDb(fromDb(first) + fromDb(second - firstGainDb));
  }
  const padDb = Math.max(stage.gainMinDb - gainDb, 0);
  const paddedDb = gainDb + padDb;
  const belowDb = Math.max(gainFlatMaxDb - paddedDb, 0);
  const per50GhzDbm = load.inputDbm - toDb(load.count) + toDb(50e9 / load.slotHz);
  return padDb + ownNoiseDb(noise, paddedDb, belowDb, per50GhzDbm);
}

function ownNoiseDb(
  noise: Exclude<NoiseModel, { kind: 'two-stages' }>,
  gainDb: number,
  belowDb: number,
  per50GhzDbm: number,
): number {
  switch (noise.kind) {
    case 'fixed':
      return noise.nfDb;
    case 'two-coils':
      return toDb(fromDb(noise.nf1Db) + fromDb(noise.nf2Db) / fromDb(gainDb - noise.deltaPDb - belowDb));
    case 'polynomial':
      return polynomial(noise.coefficients, -belowDb);
    case 'openroadm':
      return per50GhzDbm - polynomial(noise.coefficients, per50GhzDbm) + 58;
    case 'openroadm-preamp':
      return per50GhzDbm - Math.min((4 * per50GhzDbm + 275) / 7, 33) + 58;
    case 'openroadm-booster':
      return Number.NEGATIVE_INFINITY;
    default:
      return noise satisfies never;
  }
}

/** Horner's scheme, highest power first. */
function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

/**
 * Gain over the channels, dB; one number where it is flat. The wanted tilt comes from the dynamic gain tilt, ripple from the library; then the
 * pumps are moved along the dynamic tilt until the total gain is the wanted one: a first guess, and one secant step to the side it is off.
 */
function gainProfileDb(
  comb: Comb,
  amplifier: Amplifier,
  model: AmplifierModel,
  gainDb: number,
  inputDbm: number,
): Float64Array | number {
  const n = comb.count;
  const tiltDb = amplifier.tiltDb ?? 0;
  if (n === 1 || (tiltDb === 0 && model.gainRippleDb.every((ripple) => ripple === 0))) return gainDb;
  const { minHz, maxHz } = model.band;
  const tilt = comb.frequencyHz.map((f) => rippleAt(model.gainTilt, model.band, f));
  const tiltSlope = slope(comb.frequencyHz, tilt);
  const turn = tiltSlope === 0 ? 0 : -tiltDb / (maxHz - minHz) / tiltSlope;
  const raw = comb.frequencyHz.map(
    (f, i) => rippleAt(model.gainRippleDb, model.band, f) + model.gainFlatMaxDb + tilt[i]! * turn,
  );
  const voaDb = toDb(raw.reduce((sum, db) => sum + fromDb(db), 0) / n) - gainDb;
  const profile = (shift: number) => raw.map((db, i) => db - voaDb + tilt[i]! * shift);
  const gained = (shift: number) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += comb.powerW[i]! * fromDb(raw[i]! - voaDb + tilt[i]! * shift);
    return toDbm(sum) - inputDbm;
  };
  const spread =
    raw.reduce((most, db) => Math.max(most, db), -Infinity) - raw.reduce((least, db) => Math.min(least, db), Infinity);
  if (spread <= 0.05) return profile(0);
  const centre = gainDb - gained(0);
  const atCentre = gained(centre);
  if (Math.abs(gainDb - atCentre) <= 1e-11) return profile(centre);
  const side = gainDb < atCentre ? centre - spread : centre + spread;
  const steepness = (gained(side) - atCentre) / (side - centre);
  return profile(centre + (gainDb - atCentre) / steepness);
}

/** Slope of the least-squares line. */
function slope(xs: Float64Array, ys: Float64Array): number {
  const n = xs.length;
  const meanX = xs.reduce((sum, x) => sum + x, 0) / n;
  const meanY = ys.reduce((sum, y) => sum + y, 0) / n;
  let [cross, square] = [0, 0];
  for (let i = 0; i < n; i++) {
    cross += (xs[i]! - meanX) * (ys[i]! - meanY);
    square += (xs[i]! - meanX) ** 2;
  }
  return cross / square;
}
