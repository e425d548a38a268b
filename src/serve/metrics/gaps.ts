const begin = '"gaps":[';
/** More of one answer are no measurement of gaps any more. */
const mostGaps = 100_000;

/**
 * The token gaps (ms) of an observation that is stored as JSON text, without parsing the rest of it, which is twenty times as much.
 * Inside of a JSON string the name would be escaped, so where it stands like this it is the field. What is no number is passed over.
 */
export function eachGap(detail: string, take: (gapMs: number) => void): void {
  const from = detail.indexOf(begin);
  if (from === -1) return;
  const end = detail.indexOf(']', from);
  if (end === -1) return;
  let at = from + begin.length;
  for (let n = 0; at < end && n < mostGaps; n++) {
    const comma = detail.indexOf(',', at);
    const stop = comma === -1 || comma > end ? end : comma;
    const gap = Number(detail.slice(at, stop));
    if (gap >= 0 && Number.isFinite(gap)) take(gap);
    at = stop + 1;
  }
}
