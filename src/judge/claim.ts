import type { Judged } from './against.ts';
import { ms, needs, percent, percentileName, range } from './say.ts';

/** "network p99 84 ms [79, 91] against 50 ms for chat (n = 400, kernel stamps)", or what is missing. */
export function quantileClaim(
  what: string,
  judged: Judged,
  limit: { max: number; percentile: number },
  workload: string,
  how: string,
): string {
  const against = `against ${ms(limit.max)} for ${workload}`;
  if (judged.n === 0)
    return `${what} ${percentileName(limit.percentile)} was not measured; ${against} it ${needs(judged.missing)}`;
  const value = `${what} ${percentileName(limit.percentile)} ${ms(judged.value)}${ends(judged)}`;
  const samples = `(n = ${judged.n}, ${how})`;
  return judged.verdict === 'unknown'
    ? `${value} ${against} ${samples}: ${needs(judged.missing)}`
    : `${value} ${against} ${samples}`;
}

function ends(judged: Judged): string {
  if (judged.interval) return ` ${range(judged.interval)}`;
  if (judged.lower !== null) return `, at least ${ms(judged.lower)},`;
  return judged.upper === null ? '' : `, at most ${ms(judged.upper)},`;
}

/** "0.4 % [0.1, 0.9] of 1,200 packets lost against 0.1 % for chat", or what is missing. */
export function shareClaim(what: string, judged: Judged, max: number, workload: string, noun: string): string {
  const against = `against ${percent(max)} for ${workload}`;
  if (judged.n === 0) return `share of ${what} was not measured; ${against} it ${needs(judged.missing, noun)}`;
  const interval = judged.interval ? ` ${range(judged.interval, 100)}` : '';
  const value = `${percent(judged.value)}${interval} of ${judged.n.toLocaleString('en-US')} ${what} ${against}`;
  return judged.verdict === 'unknown' ? `${value}: ${needs(judged.missing, noun)}` : value;
}
