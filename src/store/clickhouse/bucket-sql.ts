/** The bucket of src/stats/histogram.ts as SQL, with the sign of the value; no function of it fails for any argument. */
export function bucketSql(value: string): string {
  const size = `abs(${value})`;
  const capped = `greatest(least(${size}, ${2 ** 40}.), ${2 ** -20})`;
  const guess = `floor(log2(${capped}))`;
  // log2 rounds, here as in JavaScript: corrected by powers, which are exact, both agree on every value.
  const exponent = `(${guess} + multiIf(exp2(${guess}) > ${capped}, -1, exp2(${guess} + 1) <= ${capped}, 1, 0))`;
  const bucket = `(1 + (${exponent} + 20) * 32 + floor((${capped} / exp2(${exponent}) - 1) * 32))`;
  return `toInt16(multiIf(${size} < ${2 ** -20}, 0., ${value} < 0, -${bucket}, ${bucket}))`;
}
