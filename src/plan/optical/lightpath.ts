import { inBand, combOf, type Channel } from './comb.ts';
import { bandsOf, commonBands } from './design/bands.ts';
import { designPath } from './design/design.ts';
import { insertMissing } from './design/insert.ts';
import { shortestWay } from './path.ts';
import { type Arrival, propagate, type Simulation, type Step } from './propagate.ts';
import { DesignError, type Element, type Library, type Settings, type System } from './system.ts';

export interface LightpathInput {
  system: System;
  library: Library;
  settings: Settings;
  simulation: Simulation;
  channels: readonly Channel[];
}

export interface Lightpath extends Arrival {
  path: Element[];
  /** Channels that no amplifier of the way carries. */
  left: Channel[];
}

/** Designs what is open on the shortest way between two transceivers and sends the channels along it. The system is changed in place. */
export function* lightpath(input: LightpathInput, from: string, to: string): Generator<Step, Lightpath, void> {
  const path = designedPath(input, from, to);
  return { path, ...(yield* sending(path, input)) };
}

/** A generator to its end at once. */
export function finish<T>(steps: Generator<unknown, T, void>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The way between two transceivers with all its amplifiers set. The system is changed in place. */
export function designedPath(
  { system, library, settings, simulation }: LightpathInput,
  from: string,
  to: string,
): Element[] {
  insertMissing(system, settings.span);
  const path = shortestWay(system, from, to);
  if (!path) throw new DesignError(from, `no path leads from here to ${to}`);
  designPath(path, { library, settings, raman: simulation.raman });
  return path;
}

type Sending = Pick<LightpathInput, 'library' | 'settings' | 'simulation' | 'channels'>;

/** Sends channels along a designed path; it is not changed and may be used again. */
export function send(path: readonly Element[], input: Sending): Arrival & { left: Channel[] } {
  return finish(sending(path, input));
}

function* sending(
  path: readonly Element[],
  { library, settings, simulation, channels }: Sending,
): Generator<Step, Arrival & { left: Channel[] }, void> {
  const amplified = path.map((element) => bandsOf(element, library)).filter((bands) => bands.length > 0);
  const { minHz, maxHz } = settings.spectra[0]!;
  const bands = amplified.length > 0 ? commonBands(amplified, () => undefined) : [{ minHz, maxHz }];
  const carried: Channel[] = [];
  const left: Channel[] = [];
  for (const channel of channels) (bands.some((band) => inBand(channel, band)) ? carried : left).push(channel);
  if (carried.length === 0)
    throw new DesignError(path[0]!.uid, 'no channel lies in the band that all amplifiers of the path carry');
  return { ...(yield* propagate(path, combOf(carried), simulation)), left };
}
