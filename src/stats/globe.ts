/** A place on the globe in degrees. */
export interface Place {
  lat: number;
  lon: number;
}

const meanRadiusKm = 6371.0088; // IUGG mean radius
/** Light in fibre with a group index of 1.468 (ITU-T G.652 fibre at 1550 nm). */
const fibreKmPerMs = 299.792458 / 1.468;

/** Length of the great circle between two places in km, on a sphere (error up to 0.5 %). */
export function greatCircleKm(a: Place, b: Place): number {
  const rad = Math.PI / 180;
  const half = (d: number) => Math.sin((d * rad) / 2) ** 2;
  const h = half(b.lat - a.lat) + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * half(b.lon - a.lon);
  return 2 * meanRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** The shortest round trip in ms that a straight fibre of this length allows. */
export function lightRoundTripMs(km: number): number {
  return (2 * km) / fibreKmPerMs;
}
