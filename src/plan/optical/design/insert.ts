import type { Amplifier, MultiBandAmplifier } from '../amplifier.ts';
import type { Fibre } from '../fibre.ts';
import {
  addElement,
  connect,
  DesignError,
  disconnect,
  type Element,
  elementOf,
  nextOf,
  ofKind,
  type SpanRules,
  type System,
} from '../system.ts';

/**
 * Puts in what a topology leaves out: spans for fibres that are too long, an amplifier behind and before each ROADM, and one between
 * two fibres. What stands there already stays. The system is changed in place.
 */
export function insertMissing(system: System, rules: SpanRules): void {
  for (const fibre of ofKind(system, 'fibre')) splitFibre(system, fibre, rules);
  for (const { uid, designBands } of ofKind(system, 'roadm')) {
    addPreamps(system, uid);
    addBoosters(system, uid, designBands.length > 1);
  }
  for (const fibre of ofKind(system, 'fibre')) addInline(system, fibre);
}

/** Spans of a fibre of a length: as near to the target as the bounds allow. */
export function spansOf(
  lengthM: number,
  { minM, maxM, targetM }: { minM: number; maxM: number; targetM: number },
): number {
  if (lengthM < maxM) return 1;
  const fewer = Math.floor(lengthM / targetM);
  const more = fewer + 1;
  const fits = (spans: number) => lengthM / spans >= minM && lengthM / spans <= maxM;
  if (fits(more) !== fits(fewer)) return fits(more) ? more : fewer;
  const [tooLong, tooShort] = [lengthM / fewer - targetM, targetM - lengthM / more];
  return tooLong <= tooShort && lengthM / fewer <= maxM ? fewer : more;
}

function splitFibre(system: System, fibre: Fibre, rules: SpanRules): void {
  const maxM = Math.floor(rules.maxLengthM);
  const minM = Math.max(Math.floor((rules.paddingDb / 0.2) * 1e3), 50_000);
  const spans = spansOf(fibre.lengthM, { minM, maxM, targetM: Math.max(minM, Math.min(maxM, 90_000)) });
  if (spans === 1) return;
  const before = system.previous.get(fibre.uid)![0];
  const after = system.next.get(fibre.uid)![0];
  if (before === undefined || after === undefined) throw new DesignError(fibre.uid, 'is not connected at both ends');
  disconnect(system, before, fibre.uid);
  disconnect(system, fibre.uid, after);
  system.elements.delete(fibre.uid);
  let last = before;
  for (let k = 1; k <= spans; k++) {
    const uid = `${fibre.uid}_(${k}/${spans})`;
    addElement(system, { ...fibre, uid, lengthM: fibre.lengthM / spans, lumped: lumpedIn(fibre, k - 1, spans) });
    connect(system, last, uid);
    last = uid;
  }
  connect(system, last, after);
}

function lumpedIn({ lengthM, lumped }: Fibre, piece: number, pieces: number): Fibre['lumped'] {
  const from = (lengthM / pieces) * piece;
  const inside = lumped.filter(({ positionM }) => positionM > from && positionM < from + lengthM / pieces);
  return inside.map((loss) => ({ ...loss, positionM: loss.positionM - from }));
}

const needsNoAmplifier: ReadonlySet<Element['kind']> = new Set(['transceiver', 'fused', 'amplifier', 'multi-band']);

function addPreamps(system: System, roadm: string): void {
  for (const uid of system.previous.get(roadm)!) {
    const before = elementOf(system, uid);
    if (needsNoAmplifier.has(before.kind)) continue;
    const kinds = amplifierKinds(system, before, 'previous');
    disconnect(system, uid, roadm);
    addAmplifier(system, `Edfa_preamp_${roadm}_from_${uid}`, kinds.has('multi-band'), uid, roadm);
  }
}

function addBoosters(system: System, roadm: string, several: boolean): void {
  for (const uid of system.next.get(roadm)!) {
    const after = elementOf(system, uid);
    if (needsNoAmplifier.has(after.kind)) continue;
    const kinds = amplifierKinds(system, after, 'next');
    disconnect(system, roadm, uid);
    const multi = kinds.has('multi-band') || (!kinds.has('amplifier') && several);
    addAmplifier(system, `Edfa_booster_${roadm}_to_${uid}`, multi, roadm, uid);
  }
}

function addInline(system: System, fibre: Fibre): void {
  const after = nextOf(system, fibre);
  if (after.kind !== 'fibre') return;
  const multi = amplifierKinds(system, after, 'next').has('multi-band');
  disconnect(system, fibre.uid, after.uid);
  addAmplifier(system, `Edfa_${fibre.uid}`, multi, fibre.uid, after.uid);
}

function addAmplifier(system: System, uid: string, multi: boolean, from: string, to: string): void {
  const element: Amplifier | MultiBandAmplifier = multi
    ? { kind: 'multi-band', uid, model: undefined, bands: [], allowed: [] }
    : undesigned(uid, 0);
  addElement(system, element);
  connect(system, from, uid);
  connect(system, uid, to);
}

export function undesigned(uid: string, tiltDb: number | undefined): Amplifier {
  return {
    kind: 'amplifier',
    uid,
    model: undefined,
    gainDb: undefined,
    deltaPDb: undefined,
    tiltDb,
    outVoaDb: undefined,
    inVoaDb: 0,
    allowed: [],
  };
}

/** Which kinds of amplifier a line has, from an element on to its end. */
function amplifierKinds(system: System, from: Element, way: 'next' | 'previous'): Set<Element['kind']> {
  const kinds = new Set<Element['kind']>();
  const seen = new Set<string>();
  for (let element = from; element.kind !== 'roadm' && element.kind !== 'transceiver';) {
    if (seen.has(element.uid)) throw new DesignError(element.uid, 'the line runs in a circle');
    seen.add(element.uid);
    if (element.kind === 'amplifier' || element.kind === 'multi-band') kinds.add(element.kind);
    const uid: string | undefined = system[way].get(element.uid)?.[0];
    if (uid === undefined)
      throw new DesignError(element.uid, `nothing is connected ${way === 'next' ? 'behind' : 'before'} it`);
    element = elementOf(system, uid);
  }
  return kinds;
}
