import { addPdl, addPmd, type Comb } from './comb.ts';
import { densityToDbm, fromDb, fromDbm, toDb } from './units.ts';

/** What a ROADM equalises its channels to. */
export type Equalisation =
  | { kind: 'power'; powerDbm: number }
  /** By symbol rate. */
  | { kind: 'density'; milliwattPerGhz: number }
  /** By slot width. */
  | { kind: 'slot'; milliwattPerGhz: number };

export type RoadmWay = 'add' | 'drop' | 'express';

/** What crossing a ROADM costs in one range of frequencies; without a range, everywhere. */
export interface RoadmImpairment {
  minHz: number | undefined;
  maxHz: number | undefined;
  pmdS: number;
  pdlDb: number;
  maxLossDb: number;
  /** OSNR in 0.1 nm that this way alone would leave, where it is given. */
  osnrDb: number | undefined;
}

export interface RoadmProfile {
  way: RoadmWay;
  ranges: readonly RoadmImpairment[];
}

export interface Roadm {
  kind: 'roadm';
  uid: string;
  model: string;
  equalisation: Equalisation;
  /** By the element that follows. */
  perDegree: ReadonlyMap<string, Equalisation>;
  addDropOsnrDb: number;
  pmdS: number;
  pdlDb: number;
  /** Profiles of the model by their number, in its order. */
  profiles: ReadonlyMap<number, RoadmProfile>;
  /** Number of the profile by `from` and `to`, where it is not the first of its way. */
  chosen: readonly { from: string; to: string; profile: number }[];
  preamps: readonly string[];
  boosters: readonly string[];
  designBands: readonly DesignBand[];
  perDegreeBands: ReadonlyMap<string, readonly DesignBand[]>;
}

/** A band for which amplifiers are chosen, and how dense its channels stand. */
export interface DesignBand {
  minHz: number;
  maxHz: number;
  spacingHz: number | undefined;
}

export function equalisationOf(roadm: Roadm, degree: string): Equalisation {
  return roadm.perDegree.get(degree) ?? roadm.equalisation;
}

export function targetDbm(equalisation: Equalisation, baudHz: number, slotHz: number): number {
  if (equalisation.kind === 'power') return equalisation.powerDbm;
  return densityToDbm(equalisation.milliwattPerGhz, equalisation.kind === 'density' ? baudHz : slotHz);
}

/** The profile of the way through a ROADM: the one that the user chose, else the first of its model, else its general figures. */
export function profileOf(roadm: Roadm, way: RoadmWay, from: string, to: string): RoadmProfile {
  const number = roadm.chosen.find((one) => one.from === from && one.to === to)?.profile;
  const chosen = number === undefined ? undefined : roadm.profiles.get(number);
  if (chosen) return chosen;
  const first = [...roadm.profiles.values()].find((profile) => profile.way === way);
  if (first) return first;
  // add_drop_osnr is of add and drop together, which are taken as equal.
  const osnrDb = way === 'express' ? undefined : roadm.addDropOsnrDb + toDb(2);
  const { pmdS, pdlDb } = roadm;
  return { way, ranges: [{ minHz: undefined, maxHz: undefined, pmdS, pdlDb, maxLossDb: 0, osnrDb }] };
}

/** The range of a profile for a frequency; undefined beyond all of them, where nothing is known. */
function rangeAt({ ranges }: RoadmProfile, atHz: number): RoadmImpairment | undefined {
  return ranges.find(({ minHz, maxHz }) => minHz === undefined || (minHz <= atHz && atHz <= (maxHz ?? Infinity)));
}

/**
 * Takes every channel down to its target. A ROADM does not amplify: what comes in weaker passes as it is. Gives the OSNR in 0.1 nm that the
 * way adds per channel (∞ for none), or nothing where it adds none at all.
 */
export function crossRoadm(
  comb: Comb,
  roadm: Roadm,
  way: RoadmWay,
  from: string,
  to: string,
): Float64Array | undefined {
  const profile = profileOf(roadm, way, from, to);
  const equalisation = equalisationOf(roadm, to);
  let osnrDb: Float64Array | undefined;
  let lossW = 1;
  let range: RoadmImpairment | undefined;
  let target = Number.NaN;
  for (let i = 0; i < comb.count; i++) {
    const here = rangeAt(profile, comb.frequencyHz[i]!);
    if (here !== range) lossW = fromDb(-(here?.maxLossDb ?? 0));
    range = here;
    // Equal channels have one target; a power of ten each would be most of the work.
    if (
      i === 0 ||
      comb.baudHz[i] !== comb.baudHz[i - 1] ||
      comb.slotHz[i] !== comb.slotHz[i - 1] ||
      comb.offsetDb[i] !== comb.offsetDb[i - 1]
    )
      target = fromDbm(targetDbm(equalisation, comb.baudHz[i]!, comb.slotHz[i]!) + comb.offsetDb[i]!);
    comb.powerW[i] = Math.min(target, comb.powerW[i]! * lossW);
    if (range?.osnrDb === undefined) continue;
    osnrDb ??= new Float64Array(comb.count).fill(Number.POSITIVE_INFINITY);
    osnrDb[i] = range.osnrDb;
  }
  addSpread(comb, profile);
  return osnrDb;
}

function addSpread(comb: Comb, profile: RoadmProfile): void {
  const only = profile.ranges.length === 1 ? profile.ranges[0] : undefined;
  if (only && only.minHz === undefined) {
    addPmd(comb, only.pmdS);
    addPdl(comb, only.pdlDb);
    return;
  }
  for (let i = 0; i < comb.count; i++) {
    const range = rangeAt(profile, comb.frequencyHz[i]!);
    comb.pmdS[i] = Math.hypot(comb.pmdS[i]!, range?.pmdS ?? 0);
    comb.pdlDb[i] = Math.hypot(comb.pdlDb[i]!, range?.pdlDb ?? 0);
  }
}
