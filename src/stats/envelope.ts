/** A straight line, y = intercept + slope × x. */
export interface Line {
  slope: number;
  intercept: number;
}

/**
 * The line that lies on or below every point and as close to them as such a line can (the sum of the distances is least). Of
 * delays over time it follows those that waited in no queue, so that its slope is the drift between two clocks (Moon, Skelly and
 * Towsley, INFOCOM 1999). O(n): the answer is the edge of the lower convex hull that spans the mean of x.
 * @param x rising
 * @returns null with fewer than two different x
 */
export function lowerEnvelope(x: ArrayLike<number>, y: ArrayLike<number>): Line | null {
  const n = x.length;
  if (n < 2 || x[0] === x[n - 1]) return null;
  const hull: number[] = [];
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += x[i]! - x[0]!;
    // Of points above each other only the lowest can be of the hull.
    if (hull.length > 0 && x[hull.at(-1)!] === x[i]) {
      if (y[hull.at(-1)!]! <= y[i]!) continue;
      hull.pop();
    }
    while (hull.length >= 2 && !isBelow(x, y, hull.at(-2)!, hull.at(-1)!, i)) hull.pop();
    hull.push(i);
  }
  const mean = x[0]! + sum / n;
  let edge = 1;
  while (edge < hull.length - 1 && x[hull[edge]!]! < mean) edge++;
  const [a, b] = [hull[edge - 1]!, hull[edge]!];
  const slope = (y[b]! - y[a]!) / (x[b]! - x[a]!);
  return { slope, intercept: y[a]! - slope * x[a]! };
}

/** Whether point b lies below the line from a to c. */
function isBelow(x: ArrayLike<number>, y: ArrayLike<number>, a: number, b: number, c: number): boolean {
  return (y[b]! - y[a]!) * (x[c]! - x[a]!) < (y[c]! - y[a]!) * (x[b]! - x[a]!);
}
