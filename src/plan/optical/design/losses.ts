import { attenuateDb, combOf, totalPowerW } from '../comb.ts';
import { type Fibre, lossDbOf } from '../fibre.ts';
import { glassTable } from '../glass-table.ts';
import { powerProfile } from '../srs.ts';
import { channelCount, type Element, type ReferenceSpectrum, type SpanRules } from '../system.ts';
import { fromDbm, toDb } from '../units.ts';

/** A line and what is known of it while it is designed. */
export interface Line {
  elements: readonly Element[];
  /** Gain of Raman pumps that design counts on, dB. */
  ramanGainDb: Map<Fibre, number>;
}

/** Connector losses where the file gives none, and the margin for repairs; fibres that are joined without connectors take none. In place. */
export function setConnectors(path: readonly Element[], rules: SpanRules): void {
  for (const [at, element] of path.entries()) {
    if (element.kind !== 'fibre') continue;
    element.connectorInDb ??= rules.connectorInDb;
    element.connectorOutDb ??= rules.connectorOutDb;
    if (path[at + 1]?.kind !== 'fused') element.connectorOutDb += rules.endOfLifeDb;
  }
}

/** An attenuator at the input of a span that loses less than an amplifier needs to be quiet. In place. */
export function addPadding(path: readonly Element[], rules: SpanRules): void {
  for (const [at, element] of path.entries()) {
    if (element.kind !== 'fibre' || path[at + 1]?.kind === 'fused' || element.pumps.length > 0) continue;
    const lossDb = passiveLossDb(path, at);
    if (lossDb >= rules.paddingDb) continue;
    const first = path[firstJoined(path, at)]!;
    if (first.kind === 'fibre') first.attInDb += rules.paddingDb - lossDb;
  }
}

function joined(a: Element | undefined, b: Element | undefined): boolean {
  if (!a || !b) return false;
  const passive = (element: Element) => element.kind === 'fibre' || element.kind === 'fused';
  return passive(a) && passive(b) && (a.kind === 'fused' || b.kind === 'fused');
}

export function firstJoined(path: readonly Element[], at: number): number {
  let first = at;
  while (joined(path[first - 1], path[first])) first--;
  return first;
}

function lastJoined(path: readonly Element[], at: number): number {
  let last = at;
  while (joined(path[last], path[last + 1])) last++;
  return last;
}

function ownLossDb(element: Element): number {
  if (element.kind === 'fibre') return lossDbOf(element);
  return element.kind === 'fused' ? element.lossDb : 0;
}

/** Loss of the passive piece of a path around one of its elements; 0 where it amplifies or switches. */
function passiveLossDb(path: readonly Element[], at: number): number {
  let sum = 0;
  for (let k = firstJoined(path, at); k <= lastJoined(path, at); k++) sum += ownLossDb(path[k]!);
  return sum;
}

/** The same, less what Raman pumps give back. */
export function spanLossDb({ elements, ramanGainDb }: Line, at: number): number {
  let loss = passiveLossDb(elements, at);
  for (let k = firstJoined(elements, at); k <= lastJoined(elements, at); k++) {
    const element = elements[k]!;
    if (element.kind === 'fibre') loss -= ramanGainDb.get(element) ?? 0;
  }
  return loss;
}

/** What the pumps of a fibre give to a third of the channels with three times the power, which is quicker and comes to the same. */
export function estimateRamanGainDb(fibre: Fibre, reference: ReferenceSpectrum, powerDbm: number): number {
  const spacingHz = reference.spacingHz * 3;
  const count = channelCount(reference.minHz, reference.maxHz, spacingHz);
  const channels = Array.from({ length: count }, (_, k) => ({
    frequencyHz: reference.minHz + spacingHz * (k + 1),
    baudHz: reference.baudHz,
    slotHz: spacingHz,
    rollOff: reference.rollOff,
    txPowerW: fromDbm(powerDbm) * 3,
    txOsnrDb: reference.txOsnrDb,
    offsetDb: 0,
  }));
  const comb = combOf(channels);
  const before = totalPowerW(comb);
  attenuateDb(comb, (fibre.connectorInDb ?? 0) + fibre.attInDb);
  const settings = { on: true, method: 'perturbative', order: 2, resultStepM: 50_000, solverStepM: 100 } as const;
  const { loss, zM } = powerProfile(comb, fibre, glassTable(fibre.glass, comb), settings);
  for (let i = 0; i < comb.count; i++) comb.powerW[i]! *= loss[(i + 1) * zM.length - 1]!;
  attenuateDb(comb, fibre.connectorOutDb ?? 0);
  return lossDbOf(fibre) - toDb(before / totalPowerW(comb));
}
