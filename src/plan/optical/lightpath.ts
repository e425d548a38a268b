import { inBand, combOf, type Channel } from './comb.ts';
import { bandsOf, commonBands } from './design/bands.ts';
import { designPath } from './design/design.ts';
import { insertMissing } from './design/insert.ts';
import { shortestWay } from './path.ts';
import { type Arrival, propagate, type Simulation } from './propagate.ts';
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
export function lightpath(input: LightpathInput, from: string, to: string): Lightpath {
  const path = designedPath(input, from, to);
  return { path, ...send(path, input) };
}

/** The way between two transceivers with all its amplifiers set. The system is changed in place. */
export function designedPath({ system, library, settings, simulation }: LightpathInput, from: string, to: string): Element[] {
  insertMissing(system, settings.span);
  const path = shortestWay(system, from, to);
  if (!path) throw new DesignError(from, `no path leads from here to ${to}`);
  designPath(path, { library, settings, raman: simulation.raman });
  return path;
}

/** Sends channels along a designed path; it is not changed and may be used again. */
export function send(
  path: readonly Element[],
  { library, settings, simulation, channels }: Pick<LightpathInput, 'library' | 'settings' | 'simulation' | 'channels'>,
): Arrival & { left: Channel[] } {
  const amplified = path.map((element) => bandsOf(element, library)).filter((bands) => bands.length > 0);
  const { minHz, maxHz } = settings.spectra[0]!;
  const bands = amplified.length > 0 ? commonBands(amplified, () => undefined) : [{ minHz, maxHz }];
  const carried = channels.filter((channel) => bands.some((band) => inBand(channel, band)));
  const left = channels.filter((channel) => !carried.includes(channel));
  if (carried.length === 0)
    throw new DesignError(path[0]!.uid, 'no channel lies in the band that all amplifiers of the path carry');
  return { ...propagate(path, combOf(carried), simulation), left };
}
