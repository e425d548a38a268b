import { qualityOf } from './comb.ts';
import type { Arrival } from './propagate.ts';
import { fromDb, toDb, toDbm } from './units.ts';

/** One channel as its receiver sees it. Ratios are dB; ∞ where there is no such noise. */
export interface Received {
  frequencyHz: number;
  baudHz: number;
  slotHz: number;
  /** Signal against all noise, transmitter and ROADMs included, in 0.1 nm and in the signal's own bandwidth. */
  gsnrDb01nm: number;
  gsnrDbSignal: number;
  /** Signal against noise of amplifiers, transmitter and ROADMs. */
  osnrAseDb01nm: number;
  /** Signal against nonlinear interference alone. */
  osnrNliDb01nm: number;
  powerDbm: number;
  cdPsPerNm: number;
  pmdPs: number;
  pdlDb: number;
}

export function receive({ comb, addedNoise }: Arrival): Received[] {
  return Array.from({ length: comb.count }, (_, i) => {
    const { osnrAseDb, osnrNliDb, gsnrDb, to01nmDb } = qualityOf(comb, i);
    const withAdded = (db01nm: number) => -toDb(fromDb(-db01nm) + addedNoise[i]!);
    const gsnrDb01nm = withAdded(gsnrDb + to01nmDb);
    return {
      frequencyHz: comb.frequencyHz[i]!,
      baudHz: comb.baudHz[i]!,
      slotHz: comb.slotHz[i]!,
      gsnrDb01nm,
      gsnrDbSignal: gsnrDb01nm - to01nmDb,
      osnrAseDb01nm: withAdded(osnrAseDb + to01nmDb),
      osnrNliDb01nm: osnrNliDb + to01nmDb,
      powerDbm: toDbm(comb.powerW[i]!),
      cdPsPerNm: comb.dispersionSPerM[i]! * 1e3,
      pmdPs: comb.pmdS[i]! * 1e12,
      pdlDb: comb.pdlDb[i]!,
    };
  });
}
