/** What the numbers of an exporter's messages say about those that did not arrive, in the unit that its format counts. */
export interface SequenceState {
  /** Numbers that were passed over and have not come since. */
  lost: number;
  /** How often numbers were passed over. */
  gaps: number;
  /** Messages that came after younger ones. */
  late: number;
  duplicates: number;
  /** The exporter began anew: what was lost around it is not known. */
  restarts: number;
  /** Messages after which the next number cannot be said: records of a template that is not known cannot be counted. */
  unjudged: number;
}

/** Holes that are remembered so that late messages can fill them. */
const maxHoles = 64;
/**
 * A number so far ahead or behind is no loss and no delay: the exporter counts anew. One second of the largest exporters; in flows or
 * records, of which one datagram carries up to a thousand, so ahead it is a thousand datagrams in a row.
 */
const farOff = 1_000_000;
/** So many old numbers in a row, each following on the one before, with none of the series in between: the exporter has begun anew. */
const anewAfter = 3;

/**
 * Follows one series of numbers modulo 2^32. Every message says its number and how many units it carries: NetFlow v5 counts flows, v9
 * messages, IPFIX data records, sFlow datagrams; each numbers the first unit of the message.
 */
export function sequenceTracker(): {
  state: SequenceState;
  /** @param units null where nobody can count them @param isRestarted the exporter's own clock says so */
  see(number: number, units: number | null, isRestarted: boolean): void;
  /** What comes next is known otherwise. */
  expect(number: number): void;
} {
  const state: SequenceState = { lost: 0, gaps: 0, late: 0, duplicates: 0, restarts: 0, unjudged: 0 };
  let expected: number | null = null;
  let isBegun = false;
  let holes: { from: number; count: number }[] = [];
  /** Old numbers that follow on each other. */
  let old = { next: 0, run: 0 };

  const go = (number: number, units: number | null) => {
    expected = units === null ? null : (number + units) >>> 0;
    if (units === null) state.unjudged += 1;
    old.run = 0;
  };
  const restart = () => {
    state.restarts += 1;
    holes = [];
  };

  /** Fills the part of a hole that a late message has. @returns false where no hole waits for it */
  const fill = (number: number, units: number): boolean => {
    const at = holes.findIndex(({ from, count }) => (number - from) >>> 0 < count);
    const hole = holes[at];
    if (!hole) return false;
    const before = (number - hole.from) >>> 0;
    const filled = Math.min(units, hole.count - before);
    const after = hole.count - before - filled;
    state.lost -= filled;
    holes.splice(
      at,
      1,
      ...[
        { from: hole.from, count: before },
        { from: (number + filled) >>> 0, count: after },
      ].filter(({ count }) => count > 0),
    );
    return true;
  };

  /** A number that was there before: a duplicate, or one of several by which the exporter shows that it began anew. */
  const behind = (number: number, units: number) => {
    state.duplicates += 1;
    old = { next: (number + units) >>> 0, run: old.run > 0 && old.next === number ? old.run + 1 : 1 };
    if (old.run < anewAfter) return;
    state.duplicates -= old.run;
    restart();
    go(number, units);
  };

  const see = (number: number, units: number | null, isRestarted: boolean): void => {
    if (isRestarted && isBegun) restart();
    if (!isBegun || isRestarted || expected === null) {
      isBegun = true;
      go(number, units);
      return;
    }
    const ahead = (number - expected) | 0;
    if (Math.abs(ahead) > farOff) {
      restart();
      go(number, units);
    } else if (ahead >= 0) {
      if (ahead > 0) {
        state.gaps += 1;
        state.lost += ahead;
        holes.push({ from: expected, count: ahead });
        if (holes.length > maxHoles) holes.shift();
      }
      go(number, units);
    } else if (units === null) state.late += 1;
    else if (units > 0 && fill(number, units)) state.late += 1;
    else if (units > 0) behind(number, units);
  };
  return {
    state,
    see,
    expect: (number) => {
      expected = number >>> 0;
    },
  };
}
