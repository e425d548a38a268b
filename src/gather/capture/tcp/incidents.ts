import type { Confidence } from './event.ts';

export type IncidentKind =
  /** The tap saw only a second copy: lost between sender and tap. */
  | 'lost-upstream'
  /** The tap saw it twice: lost, or thought lost, behind the tap. */
  | 'lost-downstream'
  | 'reordered'
  /** By the sender’s clock it was sent earlier than it should have been to come now: a queue, or a link that stood still. */
  | 'delayed'
  | 'zero-window'
  /** A small packet waited for an acknowledgement that the receiver had put off. */
  | 'nagle-wait'
  | 'capture-loss';

/** What held up octets of one direction, from when to when. */
export interface Incident {
  kind: IncidentKind;
  direction: 0 | 1;
  startMs: number;
  endMs: number;
  offset: number;
  end: number;
  confidence: Confidence;
  /** It began then, not only at the latest then: when the first copy was sent is known. */
  exact: boolean;
}

/** An answer with more of them than this has lost the oldest. */
const kept = 1024;

/** The last things that went wrong on a connection: what a stalled stream is explained by. */
export class Incidents {
  readonly #ring: Incident[] = [];
  #at = 0;

  add(
    kind: IncidentKind,
    direction: 0 | 1,
    startMs: number,
    endMs: number,
    offset: number,
    end: number,
    confidence: Confidence,
    exact = false,
  ): void {
    this.#ring[this.#at] = { kind, direction, startMs, endMs, offset, end, confidence, exact };
    this.#at = (this.#at + 1) % kept;
  }

  /** Those of a direction and a time, in no order. */
  within(direction: 0 | 1, startMs: number, endMs: number): Incident[] {
    const found: Incident[] = [];
    for (const incident of this.#ring)
      if (incident.direction === direction && incident.endMs >= startMs && incident.startMs <= endMs)
        found.push(incident);
    return found;
  }
}
