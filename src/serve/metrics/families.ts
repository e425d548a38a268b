import type { MetricFamily } from '../../report/openmetrics.ts';
import type { ServeContext } from '../context.ts';
import { lineFamilies } from './line-families.ts';
import { ownFamilies } from './own-families.ts';

/** All that `/metrics` has, in the order of the catalog; made while it is read, so that a large one is never in memory at once. */
export async function allFamilies(context: ServeContext, nowMs: number): Promise<Iterable<MetricFamily>> {
  const own = await ownFamilies(context, nowMs);
  return (function* () {
    yield* lineFamilies(context.meter, nowMs);
    yield* own;
  })();
}
