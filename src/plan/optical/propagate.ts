import { type AmplifierState, amplify } from './amplifier.ts';
import { addAse, addNli, addPmd, attenuateDb, channelsInBand, type Comb, totalPowerW } from './comb.ts';
import { type Fibre, latencyOf, pmdOf } from './fibre.ts';
import { type GgnSettings, ggnNli } from './ggn.ts';
import { glassTable } from './glass-table.ts';
import { gnNli } from './gn.ts';
import { crossRoadm, type Roadm } from './roadm.ts';
import { powerProfile, type RamanSettings, spontaneousRaman } from './srs.ts';
import { DesignError, type Element } from './system.ts';
import { fromDb, toDb, toDbm } from './units.ts';

/** Which models are used. */
export interface Simulation {
  nli: { method: 'gn_model_analytic' } | GgnSettings;
  raman: RamanSettings;
}

export const DEFAULT_SIMULATION: Simulation = {
  nli: { method: 'gn_model_analytic' },
  raman: { on: false, method: 'perturbative', order: 2, resultStepM: 10_000, solverStepM: 10_000 },
};

/** What one element did to the comb. */
export interface Passage {
  uid: string;
  kind: Element['kind'];
  outputDbm: number;
  /** From the total power in to the total power out; below zero where it amplifies. */
  lossDb: number;
  amplifier?: AmplifierState;
  model?: string;
  lengthM?: number;
}

/** A comb at the end of its path. */
export interface Arrival {
  comb: Comb;
  /** Share of noise over signal in 0.1 nm that transmitters and ROADMs add, per channel. */
  addedNoise: Float64Array;
  passages: Passage[];
}

/** Where a propagation is: the element that comes next. */
export interface Step {
  at: number;
  of: number;
  uid: string;
}

/**
 * Sends a comb along a path of designed elements; the comb is changed in place. Both ends are transceivers. It stops before each fibre, the
 * only elements that may take long, so that a caller can tell where it is or end it.
 */
export function* propagate(
  path: readonly Element[],
  comb: Comb,
  simulation: Simulation,
): Generator<Step, Arrival, void> {
  const addedNoise = new Float64Array(comb.count);
  for (let i = 0; i < comb.count; i++)
    addedNoise[i] =
      i > 0 && comb.txOsnrDb[i] === comb.txOsnrDb[i - 1] ? addedNoise[i - 1]! : fromDb(-comb.txOsnrDb[i]!);
  const passages: Passage[] = [];
  let before = totalPowerW(comb);
  for (let at = 1; at < path.length - 1; at++) {
    const element = path[at]!;
    const passage: Passage = { uid: element.uid, kind: element.kind, outputDbm: 0, lossDb: 0 };
    switch (element.kind) {
      case 'fibre':
        yield { at, of: path.length - 1, uid: element.uid };
        throughFibre(comb, element, simulation);
        passage.lengthM = element.lengthM;
        break;
      case 'amplifier':
        passage.amplifier = amplify(comb, element);
        passage.model = element.model!.name;
        break;
      case 'multi-band':
        for (const amplifier of element.bands) throughBand(comb, amplifier);
        if (element.model) passage.model = element.model;
        break;
      case 'roadm': {
        const osnrDb = throughRoadm(comb, element, path[at - 1]!, path[at + 1]!);
        if (osnrDb) for (let i = 0; i < comb.count; i++) addedNoise[i]! += fromDb(-osnrDb[i]!);
        break;
      }
      case 'fused':
        attenuateDb(comb, element.lossDb);
        break;
      case 'transceiver':
        throw new DesignError(element.uid, 'is a transceiver and can only end a path');
      default:
        element satisfies never;
    }
    const after = totalPowerW(comb);
    if (!(after > 0 && after < Infinity && isSound(comb)))
      throw new DesignError(
        element.uid,
        'the power here is beyond what the models hold for; see its gain, power and losses',
      );
    passage.outputDbm = toDbm(after);
    passage.lossDb = toDb(before / after);
    before = after;
    passages.push(passage);
  }
  return { comb, addedNoise, passages };
}

/** Interference of more than the whole power, or what is no number: somebody wrote a figure that no fibre or amplifier has. */
function isSound({ count, signalShare, aseShare }: Comb): boolean {
  for (let i = 0; i < count; i++) if (!(signalShare[i]! > 0 && aseShare[i]! >= 0)) return false;
  return true;
}

function throughRoadm(comb: Comb, roadm: Roadm, from: Element, to: Element): Float64Array | undefined {
  const way = from.kind === 'transceiver' ? 'add' : to.kind === 'transceiver' ? 'drop' : 'express';
  return crossRoadm(comb, roadm, way, from.uid, to.uid);
}

function throughFibre(comb: Comb, fibre: Fibre, { nli, raman }: Simulation): void {
  if (fibre.pumps.length > 0 && !raman.on)
    throw new DesignError(fibre.uid, 'has Raman pumps; simulation parameters with raman_params.flag true are needed');
  attenuateDb(comb, (fibre.connectorInDb ?? 0) + fibre.attInDb);
  const table = glassTable(fibre.glass, comb);
  const plain = nli.method === 'gn_model_analytic' && !raman.on;
  const profile = plain ? undefined : powerProfile(comb, fibre, table, raman);
  const noise =
    profile && nli.method !== 'gn_model_analytic'
      ? ggnNli(comb, table, profile, nli)
      : gnNli(comb, table, fibre.lengthM);
  addNli(comb, noise);
  if (profile && fibre.pumps.length > 0) {
    const aseW = spontaneousRaman(comb, fibre, profile);
    for (let i = 0; i < comb.count; i++) addAse(comb, i, aseW[i]!);
  }
  for (let i = 0; i < comb.count; i++) comb.dispersionSPerM[i]! += table.dispersionPerM[i]! * fibre.lengthM;
  addPmd(comb, pmdOf(fibre));
  comb.latencyS += latencyOf(fibre);
  const spliced = fromDb(-fibre.lumped.reduce((sum, { lossDb }) => sum + lossDb, 0));
  const out = fromDb(-(fibre.connectorOutDb ?? 0));
  const width = profile?.zM.length ?? 0;
  let kept = 1;
  for (let i = 0; i < comb.count; i++) {
    if (profile) kept = profile.loss[(i + 1) * width - 1]!;
    else if (i === 0 || table.alpha[i] !== table.alpha[i - 1])
      kept = Math.exp(-table.alpha[i]! * fibre.lengthM) * spliced;
    comb.powerW[i]! *= kept * out;
  }
}

/** The channels of one band through their amplifier; the others are not touched. */
function throughBand(comb: Comb, amplifier: Parameters<typeof amplify>[1]): void {
  if (!amplifier.model) throw new DesignError(amplifier.uid, 'is not designed');
  const inside = channelsInBand(comb, amplifier.model.band);
  if (inside.length === 0) return;
  const part = pick(comb, inside);
  amplify(part, amplifier);
  for (const [at, i] of inside.entries())
    for (const key of ['powerW', 'signalShare', 'aseShare', 'nliShare', 'pmdS', 'pdlDb'] as const)
      comb[key][i] = part[key][at]!;
}

/** A copy of some channels. */
export function pick(comb: Comb, positions: readonly number[]): Comb {
  const column = (values: Float64Array) => Float64Array.from(positions, (i) => values[i]!);
  const { count: _, latencyS, ...columns } = comb;
  const picked = Object.fromEntries(Object.entries(columns).map(([key, values]) => [key, column(values)]));
  return { ...(picked as unknown as typeof columns), count: positions.length, latencyS };
}
