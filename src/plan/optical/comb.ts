import { REFERENCE_BANDWIDTH_HZ, toDb } from './units.ts';

/** One channel as it leaves its transmitter. */
export interface Channel {
  frequencyHz: number;
  baudHz: number;
  slotHz: number;
  rollOff: number;
  txPowerW: number;
  txOsnrDb: number;
  /** Wanted offset from the power that a ROADM equalises to, dB. */
  offsetDb: number;
}

/** A band of frequencies. */
export interface Band {
  minHz: number;
  maxHz: number;
}

/**
 * All channels on one fibre, by column, in the order of frequency. `powerW` is the whole power of a channel; signal, amplifier noise
 * and nonlinear interference are shares of it that sum to one.
 */
export interface Comb {
  count: number;
  frequencyHz: Float64Array;
  baudHz: Float64Array;
  slotHz: Float64Array;
  rollOff: Float64Array;
  txPowerW: Float64Array;
  txOsnrDb: Float64Array;
  offsetDb: Float64Array;
  powerW: Float64Array;
  signalShare: Float64Array;
  aseShare: Float64Array;
  nliShare: Float64Array;
  /** Accumulated chromatic dispersion, s/m: seconds of delay per metre of wavelength. */
  dispersionSPerM: Float64Array;
  pmdS: Float64Array;
  pdlDb: Float64Array;
  latencyS: number;
}

export function combOf(channels: readonly Channel[]): Comb {
  const n = channels.length;
  const column = () => new Float64Array(n);
  const comb: Comb = {
    count: n,
    frequencyHz: column(),
    baudHz: column(),
    slotHz: column(),
    rollOff: column(),
    txPowerW: column(),
    txOsnrDb: column(),
    offsetDb: column(),
    powerW: column(),
    signalShare: column().fill(1),
    aseShare: column(),
    nliShare: column(),
    dispersionSPerM: column(),
    pmdS: column(),
    pdlDb: column(),
    latencyS: 0,
  };
  const inOrder = channels.every((channel, i) => i === 0 || channel.frequencyHz >= channels[i - 1]!.frequencyHz);
  const sorted = inOrder ? channels : channels.toSorted((a, b) => a.frequencyHz - b.frequencyHz);
  for (let i = 0; i < n; i++) {
    const channel = sorted[i]!;
    comb.frequencyHz[i] = channel.frequencyHz;
    comb.baudHz[i] = channel.baudHz;
    comb.slotHz[i] = channel.slotHz;
    comb.rollOff[i] = channel.rollOff;
    comb.txPowerW[i] = channel.txPowerW;
    comb.txOsnrDb[i] = channel.txOsnrDb;
    comb.offsetDb[i] = channel.offsetDb;
    comb.powerW[i] = channel.txPowerW;
  }
  return comb;
}

/** A channel passes a band when its whole slot lies in it. */
export function inBand(channel: { frequencyHz: number; slotHz: number }, band: Band): boolean {
  return (
    channel.frequencyHz - channel.slotHz / 2 >= band.minHz && channel.frequencyHz + channel.slotHz / 2 <= band.maxHz
  );
}

/** The positions of the channels that pass a band. */
export function channelsInBand(comb: Comb, band: Band): number[] {
  const inside: number[] = [];
  for (let i = 0; i < comb.count; i++)
    if (inBand({ frequencyHz: comb.frequencyHz[i]!, slotHz: comb.slotHz[i]! }, band)) inside.push(i);
  return inside;
}

export function totalPowerW(comb: Comb): number {
  let sum = 0;
  for (let i = 0; i < comb.count; i++) sum += comb.powerW[i]!;
  return sum;
}

export function attenuateDb(comb: Comb, lossDb: number): void {
  if (lossDb === 0) return;
  const factor = 10 ** (-lossDb / 10);
  for (let i = 0; i < comb.count; i++) comb.powerW[i]! *= factor;
}

/** Nonlinear interference takes power from all shares of a channel and gives it to its own: the total stays. */
export function addNli(comb: Comb, nliW: Float64Array): void {
  for (let i = 0; i < comb.count; i++) {
    const ratio = nliW[i]! / comb.powerW[i]!;
    comb.signalShare[i]! *= 1 - ratio;
    comb.aseShare[i]! *= 1 - ratio;
    comb.nliShare[i] = comb.nliShare[i]! * (1 - ratio) + ratio;
  }
}

/** Amplifier noise adds to the power of channel `i`. */
export function addAse(comb: Comb, i: number, aseW: number): void {
  const before = comb.powerW[i]!;
  const after = before + aseW;
  const kept = before / after;
  comb.signalShare[i]! *= kept;
  comb.nliShare[i]! *= kept;
  comb.aseShare[i] = (comb.aseShare[i]! * before + aseW) / after;
  comb.powerW[i] = after;
}

/** Root sum square: independent contributions of differential group delay and of polarisation-dependent loss. */
export function addPmd(comb: Comb, pmdS: number): void {
  if (pmdS === 0) return;
  for (let i = 0; i < comb.count; i++) comb.pmdS[i] = Math.sqrt(comb.pmdS[i]! ** 2 + pmdS ** 2);
}

export function addPdl(comb: Comb, pdlDb: number): void {
  if (pdlDb === 0) return;
  for (let i = 0; i < comb.count; i++) comb.pdlDb[i] = Math.sqrt(comb.pdlDb[i]! ** 2 + pdlDb ** 2);
}

/** What a receiver sees of channel `i`: ratios in dB in the signal's own bandwidth and in 0.1 nm. */
export function qualityOf(
  comb: Comb,
  i: number,
): { osnrAseDb: number; osnrNliDb: number; gsnrDb: number; to01nmDb: number } {
  const [signal, ase, nli] = [comb.signalShare[i]!, comb.aseShare[i]!, comb.nliShare[i]!];
  return {
    osnrAseDb: toDb(signal / ase),
    osnrNliDb: toDb(signal / nli),
    gsnrDb: toDb(signal / (ase + nli)),
    to01nmDb: toDb(comb.baudHz[i]! / REFERENCE_BANDWIDTH_HZ),
  };
}
