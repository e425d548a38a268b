/**
 * Name of a path: a 64-bit hash (FNV-1a) of its addresses in order, as 12 hex digits. Hops that never answered count as
 * such; where several addresses take turns at one hop, all of them, sorted. The same path has the same name in every run.
 */
export function pathId(hops: readonly (readonly string[])[]): string {
  const last = hops.findLastIndex((addresses) => addresses.length > 0);
  const text = hops
    .slice(0, last + 1)
    .map((addresses) => (addresses.length === 0 ? '*' : [...addresses].sort().join('|')))
    .join(' ');
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0').slice(-12);
}
