/**
 * The bucket of src/stats/histogram.ts as SQL, with the sign of the value: negative clock offsets and overdue certificates
 * have quantiles, too. Written so that no argument makes a function fail: the optimiser may compute common parts of a CASE
 * for every row.
 */
export function bucketSql(value: string): string {
  const size = `abs(${value})`;
  const capped = `greatest(least(${size}, ${2 ** 40}), ${2 ** -20}::DOUBLE)`;
  const guess = `floor(log2(${capped}))`;
  // log2 rounds, here as in JavaScript: corrected by exact powers, both agree on every value.
  const exponent = `(${guess} + CASE WHEN pow(2, ${guess}) > ${capped} THEN -1 WHEN pow(2, ${guess} + 1) <= ${capped} THEN 1 ELSE 0 END)`;
  const bucket = `(1 + (${exponent} + 20) * 32 + floor((${capped} / pow(2, ${exponent}) - 1) * 32))::INTEGER`;
  return `CASE WHEN ${size} < ${2 ** -20}::DOUBLE THEN 0 WHEN ${value} < 0 THEN -${bucket} ELSE ${bucket} END`;
}
