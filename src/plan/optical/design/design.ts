import type { Element } from '../system.ts';
import { addPadding, setConnectors } from './losses.ts';
import { type DesignInput, setAmplifiers } from './amplifiers.ts';

/**
 * Sets everything that the user left open on a path whose amplifiers are all in place: connector losses, padding, models, gains, attenuators.
 * Elements are changed in place. A path is designed line by line, from a ROADM or transceiver to the next.
 */
export function designPath(path: readonly Element[], input: DesignInput): void {
  setConnectors(path, input.settings.span);
  addPadding(path, input.settings.span);
  for (const elements of linesOf(path)) setAmplifiers({ elements, ramanGainDb: new Map() }, input);
}

/** Pieces from each ROADM or transceiver to the next, both included. */
function linesOf(path: readonly Element[]): Element[][] {
  const lines: Element[][] = [];
  let from = 0;
  for (let at = 1; at < path.length; at++) {
    const { kind } = path[at]!;
    if (kind !== 'roadm' && kind !== 'transceiver') continue;
    lines.push(path.slice(from, at + 1));
    from = at;
  }
  return lines;
}
