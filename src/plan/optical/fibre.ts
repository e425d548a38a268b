import { constant, type Curve, curveAt } from './curve.ts';
import { LIGHT_SPEED_M_PER_S as C } from './units.ts';

/** What a fibre is made of: everything but length, connectors and pumps. Spans of the same glass share one object. */
export interface Glass {
  /** Attenuation, dB/m. */
  lossDbPerM: Curve;
  /** Chromatic dispersion, s/m². */
  dispersion: Curve;
  /** Slope of the dispersion over wavelength, s/m³, where it is given. */
  dispersionSlope?: number;
  referenceHz: number;
  effectiveAreaM2: number;
  /** Mean differential group delay per root length, s/√m. */
  pmdCoefficient: number;
  raman: RamanGain;
}

/** Raman gain over the distance between pump and signal, before it is divided by the area: m/W/Hz per Hz of the pump. */
export interface RamanGain {
  offsetHz: Float64Array;
  perPumpHz: Float64Array;
}

/** Light that is sent into a fibre to amplify by the Raman effect. */
export interface Pump {
  powerW: number;
  frequencyHz: number;
  direction: 'with' | 'against';
}

/** A splice or a bend: loss at one place. */
export interface LumpedLoss {
  positionM: number;
  lossDb: number;
}

export interface Fibre {
  kind: 'fibre';
  uid: string;
  glass: Glass;
  lengthM: number;
  /** Attenuator at the input that auto-design puts in so that the amplifier after the span has enough to do. */
  attInDb: number;
  /** Connector losses; unset until designed. */
  connectorInDb: number | undefined;
  connectorOutDb: number | undefined;
  lumped: readonly LumpedLoss[];
  pumps: readonly Pump[];
  temperatureK: number;
}

/** Constants of step-index single-mode fibre by which area and nonlinearity scale with frequency. */
const CORE_INDEX = 1.468;
const CORE_RADIUS_M = 4.2e-6;
const NONLINEAR_INDEX_M2_PER_W = 2.6e-20;

export const DEFAULT_REFERENCE_HZ: number = C / 1550e-9;
export const DEFAULT_AREA_M2 = 83e-12;
export const DEFAULT_DISPERSION: Curve = constant(1.67e-5);

/** Neper of power per metre in a dB per metre. */
const NEPER_PER_DB = 1 / (10 * Math.log10(Math.E));

/** A frequency for which a fibre has no figure. */
export class OutOfCurve extends Error {
  constructor(what: string, curve: Curve, atHz: number) {
    const range = `${(curve.frequencyHz[0]! / 1e12).toFixed(3)} to ${(curve.frequencyHz.at(-1)! / 1e12).toFixed(3)} THz`;
    super(`the ${what} of the fibre is given for ${range} and asked at ${(atHz / 1e12).toFixed(3)} THz`);
    this.name = 'OutOfCurve';
  }
}

function valueOf(what: string, curve: Curve, atHz: number): number {
  const value = curveAt(curve, atHz);
  if (value === undefined) throw new OutOfCurve(what, curve, atHz);
  return value;
}

/** Attenuation, neper of power per metre. */
export function alphaAt(glass: Glass, atHz: number): number {
  return valueOf('loss', glass.lossDbPerM, atHz) * NEPER_PER_DB;
}

/** Dispersion, s/m². Without a slope β₂ is taken constant, which makes D fall with the square of the wavelength. */
function dispersionAt(glass: Glass, atHz: number): number {
  const { dispersion, dispersionSlope, referenceHz } = glass;
  if (dispersion.value.length > 1) return valueOf('dispersion', dispersion, atHz);
  const nominal = dispersion.value[0]!;
  if (dispersionSlope === undefined) return (atHz / referenceHz) ** 2 * nominal;
  return nominal + dispersionSlope * (C / atHz - C / referenceHz);
}

/** Group velocity dispersion β₂, s²/m. */
export function beta2At(glass: Glass, atHz: number): number {
  return (-((C / atHz) ** 2) * dispersionAt(glass, atHz)) / (2 * Math.PI * C);
}

/** β₃, s³/m: from the slope, from a parabola through the curve, or zero. */
function beta3At(glass: Glass, atHz: number): number {
  const { dispersion, dispersionSlope, referenceHz } = glass;
  if (dispersion.value.length > 1) {
    const offsets = dispersion.frequencyHz.map((f) => f - referenceHz);
    return (
      slopeOfParabola(
        offsets,
        dispersion.frequencyHz.map((f) => beta2At(glass, f)),
      ) /
      (2 * Math.PI)
    );
  }
  if (dispersionSlope === undefined) return 0;
  const turned = ((4 * Math.PI * atHz ** 3) / C ** 2) * beta2At(glass, atHz);
  return (dispersionSlope - turned) / ((2 * Math.PI * atHz ** 2) / C) ** 2;
}

/** Chromatic dispersion that a metre adds, s/m², as seen at the reference wavelength. */
export function dispersionPerMetre(glass: Glass, atHz: number): number {
  const beta = beta2At(glass, atHz) + 2 * Math.PI * beta3At(glass, atHz) * (atHz - glass.referenceHz);
  return (-beta * 2 * Math.PI * glass.referenceHz ** 2) / C;
}

/** Effective area by the Marcuse-type scaling w = a/√ln V; the index contrast is set so that it is the nominal one at the reference. */
export function areaAt(glass: Glass, atHz: number): number {
  const root =
    (C / (2 * Math.PI * glass.referenceHz * CORE_RADIUS_M * CORE_INDEX)) *
    Math.exp((Math.PI * CORE_RADIUS_M ** 2) / glass.effectiveAreaM2);
  const contrast = 0.5 * root ** 2;
  const v = ((2 * Math.PI * atHz) / C) * CORE_RADIUS_M * CORE_INDEX * Math.sqrt(2 * contrast);
  return (Math.PI * CORE_RADIUS_M ** 2) / Math.log(v);
}

/** Nonlinear coefficient γ, 1/(W·m). */
export function gammaAt(glass: Glass, atHz: number): number {
  return (2 * Math.PI * NONLINEAR_INDEX_M2_PER_W * atHz) / (C * areaAt(glass, atHz));
}

/** The area for which γ at the reference frequency is the given one. */
export function areaOfGamma(gammaPerWM: number, referenceHz: number): number {
  return (2 * Math.PI * NONLINEAR_INDEX_M2_PER_W * referenceHz) / (C * gammaPerWM);
}

export function pmdOf(fibre: Fibre): number {
  return fibre.glass.pmdCoefficient * Math.sqrt(fibre.lengthM);
}

export function latencyOf(fibre: Pick<Fibre, 'lengthM'>): number {
  return (fibre.lengthM * CORE_INDEX) / C;
}

/** Loss from end to end at the reference frequency, with connectors, attenuator and splices. */
export function lossDbOf(fibre: Fibre): number {
  const glass = valueOf('loss', fibre.glass.lossDbPerM, fibre.glass.referenceHz);
  const ends = (fibre.connectorInDb ?? 0) + (fibre.connectorOutDb ?? 0) + fibre.attInDb;
  return glass * fibre.lengthM + ends + fibre.lumped.reduce((sum, { lossDb }) => sum + lossDb, 0);
}

/** Slope at zero of the least-squares parabola through points; zero where there are fewer than three. */
export function slopeOfParabola(xs: ArrayLike<number>, ys: ArrayLike<number>): number {
  const n = xs.length;
  if (n < 3) return 0;
  let scale = 0;
  for (let i = 0; i < n; i++) scale = Math.max(scale, Math.abs(xs[i]!));
  if (scale === 0) return 0;
  // Normal equations of 1, t, t² with t in [-1, 1]; y is taken from its mean, which takes no slope away.
  let mean = 0;
  for (let i = 0; i < n; i++) mean += ys[i]! / n;
  const s = [0, 0, 0, 0, 0];
  const r = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const t = xs[i]! / scale;
    const y = ys[i]! - mean;
    let power = 1;
    for (let k = 0; k < 5; k++) {
      s[k]! += power;
      if (k < 3) r[k]! += power * y;
      power *= t;
    }
  }
  const [a, b, c, d, e] = s as [number, number, number, number, number];
  const [p, q, u] = r as [number, number, number];
  const determinant = a * (c * e - d * d) - b * (b * e - c * d) + c * (b * d - c * c);
  if (determinant === 0) return 0;
  return (a * (q * e - d * u) - p * (b * e - c * d) + c * (b * u - q * c)) / determinant / scale;
}
