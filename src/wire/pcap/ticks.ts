/** if_tsresol: the top bit chooses powers of two, else of ten. Null for what no clock has. */
export function perSecondOf(resolution: number): number | null {
  const exponent = resolution & 0x7f;
  if (resolution & 0x80) return exponent <= 63 ? 2 ** exponent : null;
  return exponent <= 19 ? 10 ** exponent : null;
}

/** Largest rate of units at which the schoolbook division below stays within 53 bits. */
const exactTo = 2 ** 37;

/** Seconds of a count of units that is given as two words of 32 bits, and the nanoseconds that are left, in `into`. */
export function split(
  high: number,
  low: number,
  perSecond: number,
  into: { seconds: number; nanoseconds: number },
): void {
  if (perSecond > exactTo) {
    const units = (BigInt(high) << 32n) | BigInt(low);
    const rate = BigInt(perSecond);
    into.seconds = Number(units / rate);
    into.nanoseconds = Number(((units % rate) * 1_000_000_000n) / rate);
    return;
  }
  if (high < 2 ** 21) {
    const units = high * 2 ** 32 + low;
    // Rounding may have made the quotient one too many.
    const near = Math.floor(units / perSecond);
    const isOver = near * perSecond > units;
    into.seconds = isOver ? near - 1 : near;
    into.nanoseconds = fraction(units - into.seconds * perSecond, perSecond);
    return;
  }
  // Division in digits of 16 bits, since the count has more than the 53 bits of a number.
  let seconds = 0;
  let rest = 0;
  for (let digit = 0; digit < 4; digit++) {
    const word = digit < 2 ? high : low;
    rest = rest * 65_536 + (digit % 2 === 0 ? word >>> 16 : word & 0xffff);
    const whole = Math.floor(rest / perSecond);
    rest -= whole * perSecond;
    seconds = seconds * 65_536 + whole;
  }
  into.seconds = seconds;
  into.nanoseconds = fraction(rest, perSecond);
}

/** Nanoseconds of the units that are left of a second. Rounded down, like the division of whole numbers that it is. */
function fraction(rest: number, perSecond: number): number {
  if (perSecond <= 1e9 && 1e9 % perSecond === 0) return rest * (1e9 / perSecond);
  if (rest < 2 ** 23) return Math.floor((rest * 1e9) / perSecond);
  return Number((BigInt(rest) * 1_000_000_000n) / BigInt(perSecond));
}
