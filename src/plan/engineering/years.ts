/**
 * Years until a utilisation that grows by the same share each year passes a limit: 0 when it has, null when it never does.
 * @param growthPerYear 0.4 is 40 % more each year
 */
export function yearsUntil(share: number, limit: number, growthPerYear: number): number | null {
  if (share > limit) return 0;
  if (share <= 0 || growthPerYear <= 0) return null;
  return Math.log(limit / share) / Math.log1p(growthPerYear);
}
