/**
 * What failures do, one row per case: first each single element, then each pair {i, j}, i < j, row by row. Rows of pairs hold what
 * the pair does beyond the sum of its two parts, so a pair that does not meddle costs nothing. Sums of whole numbers below 2⁵³ are
 * exact in any order: any number of workers comes to the same.
 */
export interface Effects {
  readonly count: number;
  readonly doubles: boolean;
  /** Pairs of ends that stand, but have no path any more. */
  readonly broken: Int32Array;
  /** By how much the paths of all pairs that are still joined grow, in the unit of the lengths. */
  readonly extra: Float64Array;
  /** Pairs whose path is longer than the limit, less those that were so before. */
  readonly late: Int32Array;
}

const bytesPerCase = 16;

export function caseCount(elements: number, doubles: boolean): number {
  return elements + (doubles ? (elements * (elements - 1)) / 2 : 0);
}

export function effectsBytes(elements: number, doubles: boolean): number {
  return caseCount(elements, doubles) * bytesPerCase;
}

/** @param buffer of `effectsBytes`, for instance shared between threads */
export function makeEffects(count: number, doubles: boolean, buffer?: ArrayBufferLike): Effects {
  const cases = caseCount(count, doubles);
  const room = buffer ?? new ArrayBuffer(effectsBytes(count, doubles));
  return {
    count,
    doubles,
    extra: new Float64Array(room, 0, cases),
    broken: new Int32Array(room, 8 * cases, cases),
    late: new Int32Array(room, 12 * cases, cases),
  };
}

/** Row of the pair {i, j}, i ≠ j. */
export function pairIndex(count: number, i: number, j: number): number {
  const [low, high] = i < j ? [i, j] : [j, i];
  return count + (low * (2 * count - low - 1)) / 2 + high - low - 1;
}

export interface Effect {
  broken: number;
  extra: number;
  late: number;
}

export function effectOf(effects: Effects, i: number, j?: number): Effect {
  const { broken, extra, late } = effects;
  if (j === undefined) return { broken: broken[i]!, extra: extra[i]!, late: late[i]! };
  const pair = pairIndex(effects.count, i, j);
  return {
    broken: broken[i]! + broken[j]! + broken[pair]!,
    extra: extra[i]! + extra[j]! + extra[pair]!,
    late: late[i]! + late[j]! + late[pair]!,
  };
}

export function addEffects(into: Effects, from: Effects): void {
  for (let i = 0; i < into.broken.length; i++) {
    into.broken[i]! += from.broken[i]!;
    into.extra[i]! += from.extra[i]!;
    into.late[i]! += from.late[i]!;
  }
}
