import type { Comb } from './comb.ts';
import { interpolate } from './curve.ts';
import { slopeOfParabola } from './fibre.ts';
import { farPsi, nearPsi, type Pair } from './ggn-integral.ts';
import { spanIntegral } from './ggn-kernel.ts';
import type { GlassTable } from './glass-table.ts';
import { CROSS_WEIGHT, SELF_WEIGHT } from './gn.ts';
import type { PowerProfile } from './srs.ts';
import { roundHalfEven } from './units.ts';

/** Settings of the models that integrate. */
export interface GgnSettings {
  method: 'ggn_spectrally_separated' | 'ggn_approx';
  /** Steps: tolerated change of the dispersive and of the phase term from point to point. */
  dispersionTolerance: number;
  phaseShiftTolerance: number;
  /** Channels that are computed, from 0; interference between them is interpolated. All when undefined. */
  computedChannels?: readonly number[];
  computedCount?: number;
  /** Step of the power profile, m. */
  profileStepM: number;
}

/**
 * Nonlinear interference of one span by the generalised Gaussian-noise model, with the power of every channel along the fibre as
 * stimulated Raman scattering left it (Cantono et al., JLT 36, 3131, 2018; `ggn_approx`: D'Amico et al., JLT 40, 3499, 2022, equations
 * 24 and 25).
 */
export function ggnNli(comb: Comb, table: GlassTable, profile: PowerProfile, settings: GgnSettings): Float64Array {
  const cuts = cutsOf(comb.count, settings);
  const psi = settings.method === 'ggn_approx' ? approximatePsi : integratedPsi;
  const density = cuts.map((cut) => {
    const row = psi(comb, table, profile, settings, cut);
    let sum = 0;
    for (let j = 0; j < comb.count; j++) {
      const weight = j === cut ? SELF_WEIGHT : CROSS_WEIGHT;
      sum += weight * row[j]! * (comb.powerW[j]! / comb.baudHz[j]!) ** 2;
    }
    return (table.gamma[cut]! ** 2 * sum * comb.powerW[cut]!) / comb.baudHz[cut]!;
  });
  const at = cuts.map((cut) => comb.frequencyHz[cut]!);
  return comb.frequencyHz.map((f, i) => comb.baudHz[i]! * interpolate(at, density, f));
}

function cutsOf(count: number, { computedChannels, computedCount }: GgnSettings): number[] {
  if (computedChannels)
    return [...new Set(computedChannels.filter((channel) => channel < count))].sort((a, b) => a - b);
  if (computedCount === undefined || computedCount >= count) return Array.from({ length: count }, (_, i) => i);
  if (computedCount === 1) return [0];
  const cuts = Array.from({ length: computedCount }, (_, i) => roundHalfEven((i * (count - 1)) / (computedCount - 1)));
  return [...new Set(cuts)];
}

/** ψ of every channel on one, by the double integral near and its closed inner integral far. */
function integratedPsi(
  comb: Comb,
  table: GlassTable,
  profile: PowerProfile,
  settings: GgnSettings,
  cut: number,
): Float64Array {
  const beta2 = table.beta2[cut]!;
  const offsets = comb.frequencyHz.map((f) => f - comb.frequencyHz[cut]!);
  const beta3 = slopeOfParabola(offsets, table.beta2) / (2 * Math.PI);
  const row = new Float64Array(comb.count);
  for (let pump = 0; pump < comb.count; pump++) {
    const pair = pairOf(comb, cut, pump, beta2, beta3, stepsOf(comb, settings, table.alpha[pump]!, beta2));
    pair.cutStepHz /= 1 + Math.abs(pump - cut);
    const span = spanIntegral(profile.zM, profile.loss, pump, table.alpha[pump]!);
    const near = pump === cut || Math.abs(offsets[pump]!) <= nearHz(beta2, comb.baudHz[pump]!);
    row[pump] = near ? nearPsi(pair, span) : farPsi(pair, span);
  }
  return row;
}

/** Up to where a channel counts as near: five channels of 50 GHz at 32 GBd and 21.3 ps²/km, scaled. */
function nearHz(beta2: number, pumpBaudHz: number): number {
  return (5 * 50e9 * 32e9 * 21.3e-27) / (Math.abs(beta2) * pumpBaudHz);
}

/** Steps of both integrals for neighbours, Hz. */
function stepsOf(comb: Comb, settings: GgnSettings, alpha: number, beta2: number): number {
  const widest = comb.slotHz.reduce((most, slot) => Math.max(most, slot), 0);
  const tolerance = Math.min(
    settings.dispersionTolerance * Math.abs(alpha),
    settings.phaseShiftTolerance / settings.profileStepM,
  );
  return tolerance / Math.abs(beta2) / (4 * Math.PI ** 2 * widest);
}

function pairOf(comb: Comb, cut: number, pump: number, beta2: number, beta3: number, stepHz: number): Pair {
  return {
    cutHz: comb.frequencyHz[cut]!,
    cutBaudHz: comb.baudHz[cut]!,
    cutRollOff: comb.rollOff[cut]!,
    pumpHz: comb.frequencyHz[pump]!,
    pumpBaudHz: comb.baudHz[pump]!,
    pumpRollOff: comb.rollOff[pump]!,
    beta2,
    beta3,
    cutStepHz: stepHz,
    pumpStepHz: stepHz,
  };
}

/** ψ by the closed form for other channels and by the double integral for the channel on itself. */
function approximatePsi(
  comb: Comb,
  table: GlassTable,
  profile: PowerProfile,
  settings: GgnSettings,
  cut: number,
): Float64Array {
  const steepest = table.beta2.reduce((most, b2) => Math.max(most, Math.abs(b2)), 0);
  const row = new Float64Array(comb.count);
  for (let pump = 0; pump < comb.count; pump++) {
    if (pump === cut) continue;
    const beta = (table.beta2[cut]! + table.beta2[pump]!) / 2;
    const distanceHz = comb.frequencyHz[pump]! - comb.frequencyHz[cut]!;
    row[pump] = (effective2(profile, pump) * comb.baudHz[pump]!) / (4 * Math.PI * Math.abs(beta * distanceHz));
  }
  const pair = pairOf(comb, cut, cut, table.beta2[cut]!, 0, stepsOf(comb, settings, table.alpha[cut]!, steepest));
  row[cut] = nearPsi(pair, spanIntegral(profile.zM, profile.loss, cut, table.alpha[cut]!));
  return row;
}

/** Square of the sum over the pieces of the fibre, each with the attenuation that the power profile shows there. */
function effective2({ zM, loss }: PowerProfile, channel: number): number {
  let sum = 0;
  for (let k = 1; k < zM.length; k++) {
    const [before, now] = [loss[channel * zM.length + k - 1]!, loss[channel * zM.length + k]!];
    const alpha = (Math.log(now) - Math.log(before)) / Math.abs(zM[k - 1]! - zM[k]!);
    sum += Math.abs((now - before) / Math.sqrt(Math.abs(alpha))) * Math.sign(alpha);
  }
  return sum ** 2;
}
