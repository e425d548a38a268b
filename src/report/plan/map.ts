import { type GeoPermissibleObjects, geoCentroid, geoEqualEarth, type GeoPath, geoPath } from 'd3-geo';
import { svg, text, tip } from '../svg/frame.ts';
import { px } from '../svg/scale.ts';
import { placeLabels } from './labels.ts';

export interface MapPlace {
  lat: number;
  lon: number;
}

export interface MapSite extends MapPlace {
  name: string;
  /** Shown on hover. */
  about: string;
  kind: 'user' | 'serves' | 'proposed';
  /** 0 to 1, how large beside the largest. */
  size: number;
}

export interface MapLink {
  ends: [MapPlace, MapPlace];
  about: string;
  tone: 'calm' | 'busy' | 'full' | 'unknown';
  /** Which of the links between the same two places, from 0: they are bent apart. */
  nth: number;
  /** A link that is proposed. */
  isNew?: boolean;
}

/**
 * Sites and links on the outline of the land, in the Equal Earth projection about their middle, zoomed to them. No tile, no
 * request: `outline` comes with the package.
 */
export function map(
  sites: readonly MapSite[],
  links: readonly MapLink[],
  outline: GeoPermissibleObjects,
  width: number,
) {
  const height = Math.round(width * 0.52);
  const points: GeoPermissibleObjects = { type: 'MultiPoint', coordinates: sites.map(({ lon, lat }) => [lon, lat]) };
  const [middleLon] = geoCentroid(points);
  const [side, top] = [width * 0.09, height * 0.11];
  const projection = geoEqualEarth()
    .rotate([-middleLon, 0])
    .fitExtent(
      [
        [side, top],
        [width - side, height - top],
      ],
      points,
    );
  // One site, or several at one place, have no extent to fit.
  if (projection.scale() > width * 8) projection.scale(width * 8).center([0, 0]);
  projection.clipExtent([
    [0, 0],
    [width, height],
  ]);
  const path = geoPath(projection).digits(1);
  // Whole pixels are enough for a coast, and a third of the size.
  const coast = geoPath(projection).digits(0)(outline) ?? '';
  const at = (place: MapPlace) => projection([place.lon, place.lat]) ?? [0, 0];
  const dots = sites.map((site) => ({ site, at: at(site), radius: 3.5 + 7 * Math.sqrt(site.size) }));
  const labels = placeLabels(
    dots.map(({ site, at: [x, y], radius }) => ({ x, y, radius, label: site.name })),
    width,
    height,
  );
  const body = [
    `<rect class="sea" width="${width}" height="${height}"/>`,
    `<path class="land" d="${coast}"/>`,
    ...links.map((link) => drawLink(link, path, at)),
    ...dots.map(
      ({ site, at: [x, y], radius }) =>
        `<circle class="site ${site.kind}" cx="${px(x)}" cy="${px(y)}" r="${px(radius)}" ${tip(site.about)}/>`,
    ),
    ...labels.map(({ x, y, anchor, label }) => text(x, y, label, `class="site-label" text-anchor="${anchor}"`)),
  ];
  return svg(width, height, `Map of ${sites.length} sites and ${links.length} links`, body.join(''));
}

function drawLink({ ends, about, tone, nth, isNew }: MapLink, path: GeoPath, at: (p: MapPlace) => [number, number]) {
  const shape = nth === 0 ? greatCircle(ends, path) : bent(at(ends[0]), at(ends[1]), nth);
  // The wide one below cannot be seen: it is there to be hit by a pointer.
  return `<path class="way ${tone}${isNew ? ' new' : ''}" d="${shape}"/><path class="hit" d="${shape}" ${tip(about)}/>`;
}

function greatCircle([a, b]: [MapPlace, MapPlace], path: GeoPath): string {
  const coordinates = [
    [a.lon, a.lat],
    [b.lon, b.lat],
  ];
  return path({ type: 'LineString', coordinates }) ?? '';
}

/** Links between the same places: 1, 2, 3 … on alternating sides. */
function bent([x1, y1]: [number, number], [x2, y2]: [number, number], nth: number): string {
  const side = (nth % 2 === 1 ? 1 : -1) * Math.ceil(nth / 2);
  const [dx, dy] = [x2 - x1, y2 - y1];
  const bend = (Math.min(26, Math.hypot(dx, dy) * 0.22) * side) / (Math.hypot(dx, dy) || 1);
  return `M${px(x1)},${px(y1)}Q${px((x1 + x2) / 2 - dy * bend)},${px((y1 + y2) / 2 + dx * bend)} ${px(x2)},${px(y2)}`;
}
