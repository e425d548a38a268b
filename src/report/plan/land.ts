import { createRequire } from 'node:module';
import type { GeoPermissibleObjects } from 'd3-geo';
import { feature } from 'topojson-client';

/** Outline of the land at 1:50 million (Natural Earth, public domain), read from its package only when a map is drawn. */
export function land(): GeoPermissibleObjects {
  const topology = createRequire(import.meta.url)('world-atlas/land-50m.json') as Parameters<typeof feature>[0];
  return feature(topology, topology.objects['land']!);
}
