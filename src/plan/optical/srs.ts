import type { Comb } from './comb.ts';
import { dot } from './dot.ts';
import { alphaAt, type Fibre } from './fibre.ts';
import { type GlassTable, ramanMatrix } from './glass-table.ts';
import { BOLTZMANN_J_PER_K, fromDb, PLANCK_J_S } from './units.ts';

/** How the exchange of power between the channels and from pumps is computed. */
export interface RamanSettings {
  /** Off: every channel is attenuated alone. */
  on: boolean;
  method: 'perturbative' | 'numerical';
  /** Terms of the perturbation, 1 to 4. */
  order: number;
  /** Steps of what is handed on, and of the solver, m. */
  resultStepM: number;
  solverStepM: number;
}

/** Power along a fibre: rows are the channels and then the pumps, columns the places. */
export interface PowerProfile {
  zM: Float64Array;
  /** Power over power at the input, channels only; row-major. */
  loss: Float64Array;
  /** Power of the pumps, W; row-major. */
  pumpW: Float64Array;
}

interface Grid {
  zM: Float64Array;
  /** Factor by which a splice at the place multiplies power; 1 elsewhere. */
  splice: Float64Array;
}

/** Power of all channels along the fibre, after its input connector. */
export function powerProfile(comb: Comb, fibre: Fibre, table: GlassTable, settings: RamanSettings): PowerProfile {
  if (!settings.on) return lonelyProfile(comb, fibre, table);
  const result = places(fibre, settings.resultStepM).zM;
  const grid = places(fibre, settings.solverStepM);
  const width = grid.zM.length;
  const n = comb.count;
  let power: Float64Array;
  if (fibre.pumps.length > 0) power = withPumps(comb, fibre, table, grid, settings);
  else {
    const raman = (table.raman ??= ramanMatrix(fibre.glass, comb.frequencyHz));
    power = solve(comb.powerW, table.alpha, raman, grid, settings);
  }
  const loss = resample(power.subarray(0, n * width), n, grid.zM, result);
  for (let i = 0; i < n; i++) for (let k = 0; k < result.length; k++) loss[i * result.length + k]! /= comb.powerW[i]!;
  const pumpW = resample(power.subarray(n * width), fibre.pumps.length, grid.zM, result);
  return { zM: result, loss, pumpW };
}

function lonelyProfile(comb: Comb, fibre: Fibre, { alpha }: GlassTable): PowerProfile {
  const { zM, splice } = places(fibre, fibre.lengthM);
  const loss = new Float64Array(comb.count * zM.length);
  for (let i = 0; i < comb.count; i++) {
    let spliced = 1;
    for (let k = 0; k < zM.length; k++) {
      spliced *= splice[k]!;
      loss[i * zM.length + k] = Math.exp(-alpha[i]! * zM[k]!) * spliced;
    }
  }
  return { zM, loss, pumpW: new Float64Array(0) };
}

/** Every step from the input, the end, and every splice. */
function places(fibre: Fibre, stepM: number): Grid {
  const at = new Map<number, number>();
  for (const { positionM, lossDb } of fibre.lumped) at.set(positionM, fromDb(-lossDb));
  const count = Math.ceil(fibre.lengthM / stepM);
  for (let k = 0; k < count; k++) if (!at.has(k * stepM)) at.set(k * stepM, 1);
  if (!at.has(fibre.lengthM)) at.set(fibre.lengthM, 1);
  const zM = Float64Array.from(at.keys()).sort();
  return { zM, splice: zM.map((z) => at.get(z)!) };
}

/** Rows at other places, by straight lines. */
function resample(rows: Float64Array, count: number, from: Float64Array, to: Float64Array): Float64Array {
  const out = new Float64Array(count * to.length);
  for (let k = 0, low = 0; k < to.length; k++) {
    while (low < from.length - 2 && from[low + 1]! < to[k]!) low++;
    const part = (to[k]! - from[low]!) / (from[low + 1]! - from[low]!);
    for (let i = 0; i < count; i++) {
      const at = i * from.length + low;
      out[i * to.length + k] = rows[at]! + (rows[at + 1]! - rows[at]!) * part;
    }
  }
  return out;
}

/** The Raman equations of waves that travel one way, from their power at the input. Row-major power. */
function solve(
  powerW: ArrayLike<number>,
  alpha: ArrayLike<number>,
  raman: Float64Array,
  grid: Grid,
  settings: RamanSettings,
): Float64Array {
  return settings.method === 'perturbative'
    ? perturbative(powerW, alpha, raman, grid, settings.order)
    : explicitSteps(powerW, alpha, raman, grid);
}

/**
 * Perturbation around undisturbed attenuation, piece by piece between splices: the exponent of each wave is −αz plus terms that
 * grow by one power of the gain each; the first is exact, the others are integrated by trapezoids over the grid.
 */
function perturbative(
  powerW: ArrayLike<number>,
  alpha: ArrayLike<number>,
  raman: Float64Array,
  grid: Grid,
  order: number,
): Float64Array {
  const n = alpha.length;
  const width = grid.zM.length;
  const power = new Float64Array(n * width);
  const start = Float64Array.from(powerW);
  for (let i = 0; i < n; i++) power[i * width] = start[i]!;
  for (let from = 0; from < width - 1;) {
    let to = from + 1;
    while (to < width - 1 && grid.splice[to] === 1) to++;
    if (from > 0) for (let i = 0; i < n; i++) start[i]! *= grid.splice[from]!;
    piece(power, start, alpha, raman, grid.zM, from, to, order);
    for (let i = 0; i < n; i++) start[i] = power[i * width + to]!;
    from = to;
  }
  return power;
}

function piece(
  power: Float64Array,
  start: Float64Array,
  alpha: ArrayLike<number>,
  raman: Float64Array,
  zM: Float64Array,
  from: number,
  to: number,
  order: number,
): void {
  const n = alpha.length;
  const width = zM.length;
  const m = to - from + 1;
  const decay = new Float64Array(n * m);
  const reach = new Float64Array(n * m);
  const exponent = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < m; k++) {
      const z = zM[from + k]! - zM[from]!;
      decay[i * m + k] = Math.exp(-alpha[i]! * z);
      reach[i * m + k] = start[i]! * ((1 - decay[i * m + k]!) / alpha[i]!);
      exponent[i * m + k] = -alpha[i]! * z;
    }
  const terms: Float64Array[] = [];
  for (let term = 1; term <= order; term++) {
    if (term > 1) integrate(reach, start, decay, terms, zM, from, m);
    const next = multiply(raman, reach, n, m);
    for (let k = 0; k < next.length; k++) exponent[k]! += next[k]!;
    terms.push(next);
  }
  for (let i = 0; i < n; i++)
    for (let k = 1; k < m; k++) power[i * width + from + k] = start[i]! * Math.exp(exponent[i * m + k]!);
}

/** Into `reach`: the integral over z of the power that the terms so far add, by trapezoids. */
function integrate(
  reach: Float64Array,
  start: Float64Array,
  decay: Float64Array,
  terms: readonly Float64Array[],
  zM: Float64Array,
  from: number,
  m: number,
): void {
  const [first, second, third] = terms;
  const added = (k: number): number => {
    const a = first![k]!;
    if (!second) return a;
    if (!third) return second[k]! + a ** 2 / 2;
    return third[k]! + a * second[k]! + a ** 3 / 6;
  };
  for (let i = 0; i < start.length; i++) {
    let sum = 0;
    let before = decay[i * m]! * added(i * m);
    reach[i * m] = 0;
    for (let k = 1; k < m; k++) {
      const now = decay[i * m + k]! * added(i * m + k);
      sum += ((before + now) / 2) * (zM[from + k]! - zM[from + k - 1]!);
      reach[i * m + k] = start[i]! * sum;
      before = now;
    }
  }
}

/** (n × n) times (n × m). */
function multiply(matrix: Float64Array, rows: Float64Array, n: number, m: number): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const factor = matrix[i * n + j]!;
      if (factor === 0) continue;
      for (let k = 0, a = i * m, b = j * m; k < m; k++, a++, b++) out[a]! += factor * rows[b]!;
    }
  return out;
}

/** Explicit Euler steps along the fibre. */
function explicitSteps(
  powerW: ArrayLike<number>,
  alpha: ArrayLike<number>,
  raman: Float64Array,
  grid: Grid,
): Float64Array {
  const n = alpha.length;
  const width = grid.zM.length;
  const power = new Float64Array(n * width);
  const now = Float64Array.from(powerW);
  for (let i = 0; i < n; i++) power[i * width] = now[i]!;
  const next = new Float64Array(n);
  for (let k = 1; k < width; k++) {
    const step = grid.zM[k]! - grid.zM[k - 1]!;
    for (let i = 0; i < n; i++) {
      const gain = dot(raman, i * n, now, 0, n) - alpha[i]!;
      next[i] = now[i]! * (1 + gain * step) * grid.splice[k - 1]!;
      power[i * width + k] = next[i]!;
    }
    now.set(next);
  }
  return power;
}

/** Channels and pumps that go with them first, then the pumps against them: rows of the power in the order of `fibre.pumps`. */
function withPumps(comb: Comb, fibre: Fibre, table: GlassTable, grid: Grid, settings: RamanSettings): Float64Array {
  const along = fibre.pumps.filter(({ direction }) => direction === 'with');
  const against = fibre.pumps.filter(({ direction }) => direction === 'against');
  const alphaOf = (pumps: typeof along) => pumps.map(({ frequencyHz }) => alphaAt(fibre.glass, frequencyHz));
  const frequencyHz = [...comb.frequencyHz, ...[...along, ...against].map((pump) => pump.frequencyHz)];
  const alpha = Float64Array.from([...table.alpha, ...alphaOf(along), ...alphaOf(against)]);
  const raman = ramanMatrix(fibre.glass, frequencyHz);
  const n = alpha.length;
  const m = comb.count + along.length;
  const width = grid.zM.length;
  const power = new Float64Array(n * width);
  const forward = block(raman, n, 0, m);
  power.set(solve([...comb.powerW, ...along.map((p) => p.powerW)], alpha.subarray(0, m), forward, grid, settings));
  if (against.length > 0) {
    const backward = block(raman, n, m, n);
    const flipped = flip(grid);
    const ends = against.map((pump) => pump.powerW);
    const solved = solve(ends, alpha.subarray(m), backward, flipped, settings);
    for (let i = 0; i < n - m; i++)
      for (let k = 0; k < width; k++) power[(m + i) * width + k] = solved[i * width + width - 1 - k]!;
    iterate(power, alpha, raman, m, grid);
  }
  return inPumpOrder(power, comb.count, fibre, width);
}

function block(matrix: Float64Array, n: number, from: number, to: number): Float64Array {
  const size = to - from;
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) out[i * size + j] = matrix[(from + i) * n + from + j]!;
  return out;
}

function flip({ zM, splice }: Grid): Grid {
  const end = zM.at(-1)!;
  return { zM: zM.toReversed().map((z) => end - z), splice: splice.toReversed() };
}

/** Rows of the solver are pumps with, then against the channels; the caller knows them in the order of the file. */
function inPumpOrder(power: Float64Array, channels: number, fibre: Fibre, width: number): Float64Array {
  const order = [...fibre.pumps.keys()].sort(
    (a, b) =>
      Number(fibre.pumps[a]!.direction === 'against') - Number(fibre.pumps[b]!.direction === 'against') || a - b,
  );
  if (order.every((pump, i) => pump === i)) return power;
  const out = Float64Array.from(power);
  for (const [row, pump] of order.entries())
    out.set(power.subarray((channels + row) * width, (channels + row + 1) * width), (channels + pump) * width);
  return out;
}

const MAX_SWEEPS = 1000;
const RESIDUE = 1e-6;
const ACCURACY = 1e-3;

/** Sweeps forth and back with explicit Euler steps until waves of both ways agree; rows from `m` on travel against. In place. */
function iterate(power: Float64Array, alpha: Float64Array, raman: Float64Array, m: number, { zM, splice }: Grid): void {
  const n = alpha.length;
  const width = zM.length;
  // One column per place, so that a step reads and writes memory in one piece.
  const columns = new Float64Array(n * width);
  for (let i = 0; i < n; i++) for (let k = 0; k < width; k++) columns[k * n + i] = power[i * width + k]!;
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let residue = 0;
    for (let k = 1; k < width; k++) {
      const step = zM[k]! - zM[k - 1]!;
      residue = Math.max(residue, euler(columns, alpha, raman, 0, m, (k - 1) * n, k * n, step, splice[k - 1]!));
    }
    for (let k = width - 2; k >= 0; k--) {
      const step = zM[k + 1]! - zM[k]!;
      residue = Math.max(residue, euler(columns, alpha, raman, m, n, (k + 1) * n, k * n, step, splice[k + 1]!));
    }
    if (residue <= RESIDUE || stepsFit(columns, alpha, raman, m, zM, splice)) break;
  }
  for (let i = 0; i < n; i++) for (let k = 0; k < width; k++) power[i * width + k] = columns[k * n + i]!;
}

/** One step of rows `first` to `end` − 1 from the column at `from` to that at `to`; gives the largest relative change of what stood there. */
function euler(
  columns: Float64Array,
  alpha: Float64Array,
  raman: Float64Array,
  first: number,
  end: number,
  from: number,
  to: number,
  stepM: number,
  splice: number,
): number {
  const n = alpha.length;
  let change = 0;
  for (let i = first; i < end; i++) {
    const gain = dot(raman, i * n, columns, from, n);
    const value = columns[from + i]! * (1 + (gain - alpha[i]!) * stepM) * splice;
    const moved = Math.abs((value - columns[to + i]!) / value);
    if (moved > change) change = moved;
    columns[to + i] = value;
  }
  return change;
}

/** Whether the slopes of all forward waves are what the equations say of the powers, within the accuracy; stops at the first that is not. */
function stepsFit(
  columns: Float64Array,
  alpha: Float64Array,
  raman: Float64Array,
  m: number,
  zM: Float64Array,
  splice: Float64Array,
): boolean {
  const n = alpha.length;
  for (let k = 0; k < zM.length - 1; k++) {
    const step = zM[k + 1]! - zM[k]!;
    const [now, next] = [k * n, (k + 1) * n];
    for (let i = 0; i < m; i++) {
      const gain = dot(raman, i * n, columns, now, n);
      const due = columns[now + i]! * (gain - alpha[i]!) * splice[k]!;
      const found = (columns[next + i]! - columns[now + i]!) / step;
      if (Math.abs((due - found) / due) > ACCURACY) return false;
    }
  }
  return true;
}

/**
 * Noise of the Raman amplification by the pumps, W per channel at the input of the fibre: photons at the signal's frequency in both
 * polarisations, more where the glass is warm (Bose-Einstein).
 */
export function spontaneousRaman(comb: Comb, fibre: Fibre, profile: PowerProfile): Float64Array {
  const n = comb.count;
  const { zM, loss, pumpW } = profile;
  const width = zM.length;
  const frequencyHz = [...comb.frequencyHz, ...fibre.pumps.map((pump) => pump.frequencyHz)];
  const raman = ramanMatrix(fibre.glass, frequencyHz);
  const aseW = new Float64Array(n);
  for (const [p, pump] of fibre.pumps.entries())
    for (let i = 0; i < n; i++) {
      const distanceHz = pump.frequencyHz - comb.frequencyHz[i]!;
      if (distanceHz <= 0) continue;
      const thermal = 1 / Math.expm1((PLANCK_J_S * distanceHz) / (BOLTZMANN_J_PER_K * fibre.temperatureK));
      let integral = 0;
      for (let k = 1; k < width; k++) {
        const before = pumpW[p * width + k - 1]! / loss[i * width + k - 1]!;
        const now = pumpW[p * width + k]! / loss[i * width + k]!;
        integral += ((before + now) / 2) * (zM[k]! - zM[k - 1]!);
      }
      const gain = raman[i * frequencyHz.length + n + p]!;
      aseW[i]! += 2 * PLANCK_J_S * comb.baudHz[i]! * comb.frequencyHz[i]! * (1 + thermal) * gain * integral;
    }
  return aseW;
}
