import { type Comb, combOf } from '../comb.ts';
import { glassTable } from '../glass-table.ts';
import { powerProfile, type RamanSettings } from '../srs.ts';
import { channelCount, type Element, type ReferenceSpectrum } from '../system.ts';
import { fromDb, fromDbm, toDb } from '../units.ts';
import { bandName } from './bands.ts';
import type { DesignBand } from '../roadm.ts';

/** What scattering between bands does to each band over a span: to be made good by its amplifier. */
export interface BandShift {
  deviationDb: number;
  tiltDb: number;
}

/** The band that comes out strongest is set a little below its power, which leaves the others room. */
const HEADROOM = 0.86;

/**
 * For the amplifiers of several bands behind a span: how much more gain each band needs because light of higher frequency gave to it
 * or took from it, and how much it is tilted. `span` is the passive piece before the amplifier.
 */
export function bandShifts(
  span: readonly Element[],
  bands: readonly DesignBand[],
  powerDbm: readonly number[],
  reference: ReferenceSpectrum,
  raman: RamanSettings,
): BandShift[] {
  const none = bands.map(() => ({ deviationDb: 0, tiltDb: 0 }));
  const last = span.at(-1);
  if (last?.kind !== 'fibre') return none;
  const comb = combOf(bands.flatMap((band, i) => fill(band, powerDbm[i]!, reference)));
  let seen: { centre: number; tiltDb: number }[] = [];
  for (const element of span) {
    if (element.kind === 'fused') scale(comb, () => fromDb(-element.lossDb));
    if (element.kind !== 'fibre') continue;
    const { loss, zM } = powerProfile(comb, element, glassTable(element.glass, comb), raman);
    const end = (i: number) => loss[(i + 1) * zM.length - 1]!;
    seen = bands.map((band, i) => {
      const at = (hz: number) => nearest(comb, hz);
      const out = (k: number) => comb.powerW[k]! * end(k);
      const centre = out(at((band.maxHz + band.minHz) / 2)) / fromDbm(powerDbm[i]!);
      return { centre, tiltDb: toDb(out(at(band.minHz)) / out(at(band.maxHz))) };
    });
    scale(comb, end);
  }
  if (seen.every(({ tiltDb }) => Math.abs(tiltDb) <= 1e-9)) return none;
  const strongest = Math.max(...seen.map(({ centre }) => centre));
  return seen.map(({ centre, tiltDb }) => ({ deviationDb: toDb((HEADROOM * strongest) / centre), tiltDb }));
}

function fill(band: DesignBand, powerDbm: number, reference: ReferenceSpectrum) {
  const count = channelCount(band.minHz, band.maxHz, reference.spacingHz);
  return Array.from({ length: count }, (_, k) => ({
    frequencyHz: band.minHz + reference.spacingHz * (k + 1),
    baudHz: reference.baudHz,
    slotHz: reference.spacingHz,
    rollOff: reference.rollOff,
    txPowerW: fromDbm(powerDbm),
    txOsnrDb: reference.txOsnrDb,
    offsetDb: 0,
  }));
}

function nearest({ count, frequencyHz }: Comb, hz: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (Math.abs(frequencyHz[i]! - hz) < Math.abs(frequencyHz[best]! - hz)) best = i;
  return best;
}

function scale(comb: Comb, factor: (i: number) => number): void {
  for (let i = 0; i < comb.count; i++) comb.powerW[i]! *= factor(i);
}

/** Bands by name; of two of one name the later. */
export function byName(bands: readonly DesignBand[]): Map<string, DesignBand> {
  return new Map(bands.map((band) => [bandName(band), band]));
}
