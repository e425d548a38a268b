import type { ImportContext } from './importer.ts';

/** What a line says of the time it was written, and the line without it. */
export interface Stamped {
  ms: number;
  rest: string;
  /** A time of day without a date. */
  dateless: boolean;
}

export interface StampOptions {
  /** Zone of stamps that name none, minutes east of UTC. */
  zoneMinutes: number;
  /** For stamps without a year or a date: the day they are of. */
  dayMs: number;
}

type Parts = readonly (string | undefined)[];
interface Shape {
  pattern: RegExp;
  dateless?: true;
  /** Milliseconds since the epoch; NaN for what is no time after all. */
  read(parts: Parts, options: StampOptions): number;
}

const CLOCK = String.raw`(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?: ?([AaPp][Mm]))?`;
const ZONE = String.raw`(?: ?(Z|UTC|GMT|[+-]\d{2}:?\d{2}))?`;
const END = String.raw`\]?(?:[\s,;:|>-]+|$)`;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** The ways in which `ping -D`, `ts`, PowerShell and shell loops put a time in front of a line. */
const shapes: readonly Shape[] = [
  {
    pattern: new RegExp(String.raw`^\[?(\d{9,10})(?:[.,](\d{1,9}))?${END}`),
    read: ([, seconds, fraction]) => Number(seconds) * 1000 + fractionMs(fraction),
  },
  {
    pattern: new RegExp(String.raw`^\[?(\d{4})-(\d{2})-(\d{2})[T ]${CLOCK}${ZONE}${END}`),
    read: ([, year, month, day, ...clock], options) => moment(Number(year), Number(month), Number(day), clock, options),
  },
  {
    pattern: new RegExp(String.raw`^\[?(\d{1,2})\.(\d{1,2})\.(\d{4}),? ${CLOCK}${ZONE}${END}`),
    read: ([, day, month, year, ...clock], options) => moment(Number(year), Number(month), Number(day), clock, options),
  },
  {
    pattern: new RegExp(String.raw`^\[?(\d{1,2})/(\d{1,2})/(\d{4}),? ${CLOCK}${ZONE}${END}`),
    read: ([, a, b, year, ...clock], options) => {
      // The first is the month, as PowerShell's invariant Get-Date writes, unless it cannot be one.
      const [month, day] = Number(a) > 12 ? [b, a] : [a, b];
      return moment(Number(year), Number(month), Number(day), clock, options);
    },
  },
  {
    pattern: new RegExp(String.raw`^\[?(?:[A-Za-z]{3},? )?([A-Za-z]{3}) +(\d{1,2}) ${CLOCK}${ZONE}(?: (\d{4}))?${END}`),
    read: ([, month, day, ...rest], options) => {
      const year = rest[6] === undefined ? new Date(options.dayMs).getUTCFullYear() : Number(rest[6]);
      return moment(year, MONTHS.indexOf((month ?? '').toLowerCase()) + 1, Number(day), rest, options);
    },
  },
  {
    dateless: true,
    pattern: new RegExp(String.raw`^\[?${CLOCK}${ZONE}${END}`),
    read: ([, ...clock], options) => {
      const day = new Date(options.dayMs + options.zoneMinutes * 60_000);
      return moment(day.getUTCFullYear(), day.getUTCMonth() + 1, day.getUTCDate(), clock, options);
    },
  },
];

/** Takes a time off the front of a line; null when there is none. */
export function takeStamp(line: string, options: StampOptions): Stamped | null {
  if (!/^\[?(?:\d|[A-Z][a-z]{2}[ ,])/.test(line)) return null;
  for (const { pattern, dateless = false, read } of shapes) {
    const found = pattern.exec(line);
    if (!found) continue;
    const ms = read(found, options);
    if (Number.isFinite(ms) && Math.abs(ms) < 8e15) return { ms, rest: line.slice(found[0].length), dateless };
  }
  return null;
}

const DAY_MS = 86_400_000;

/**
 * Takes times off lines that follow each other. Times of day without a date belong to the last day that the text's own time
 * allows, and begin a new day where they jump back.
 */
export function stampReader({ clock, zoneMinutes }: Pick<ImportContext, 'clock' | 'zoneMinutes'>) {
  let dayMs = clock.ms;
  let lastMs: number | null = null;
  return (line: string): Stamped | null => {
    const found = takeStamp(line, { zoneMinutes, dayMs });
    if (!found?.dateless) return found;
    const step = lastMs === null && clock.of === 'end' && found.ms > clock.ms ? -DAY_MS : 0;
    const jump = lastMs !== null && found.ms < lastMs - DAY_MS / 2 ? DAY_MS : 0;
    dayMs += step + jump;
    lastMs = found.ms + step + jump;
    return { ...found, ms: lastMs };
  };
}

/** A time that stands alone, as in a CSV cell or behind `Start:`; null when it is none. */
export function readStamp(text: string, options: StampOptions): number | null {
  const found = takeStamp(text.trim(), options);
  return found && found.rest === '' ? found.ms : null;
}

function moment(year: number, month: number, day: number, clock: Parts, { zoneMinutes }: StampOptions): number {
  const [hour, minute, second, fraction, half, zone] = clock;
  if (month < 1 || month > 12 || day < 1 || day > 31 || Number(hour) > 23 || Number(minute) > 59) return NaN;
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half.toLowerCase() === 'pm' ? 12 : 0);
  const utc = Date.UTC(year, month - 1, day, hours, Number(minute), Number(second)) + fractionMs(fraction);
  return utc - (zone === undefined ? zoneMinutes : offsetMinutes(zone)) * 60_000;
}

function fractionMs(digits: string | undefined): number {
  return digits === undefined ? 0 : Number(`0.${digits}`) * 1000;
}

/** Minutes east of UTC of `Z`, `+0100` or `-05:30`. */
export function offsetMinutes(zone: string): number {
  const found = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (!found) return 0;
  return (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3]));
}
