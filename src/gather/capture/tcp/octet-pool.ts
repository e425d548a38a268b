/** Chunks of token streams fit into the small ones, packets into the large ones. */
const sizes = [256, 2048] as const;
/** Free ones that are kept of each. */
const mostFree = 4096;
/** Copying fewer octets than this one by one is quicker than asking for it. */
const fewOctets = 160;
const free: readonly [Buffer[], Buffer[]] = [[], []];

/** A copy of `octets` octets from `start` on, at the beginning of a buffer that may be longer; `giveBack` it. */
export function copyOf(bytes: Buffer, start: number, octets: number): Buffer {
  const size = octets <= sizes[0] ? 0 : 1;
  const target =
    octets <= sizes[size] ? (free[size].pop() ?? Buffer.allocUnsafeSlow(sizes[size])) : Buffer.allocUnsafeSlow(octets);
  if (octets > fewOctets) bytes.copy(target, 0, start, start + octets);
  else for (let i = 0; i < octets; i++) target[i] = bytes[start + i]!;
  return target;
}

/** Nobody looks at the copy any longer. */
export function giveBack(copy: Buffer): void {
  const size = copy.length === sizes[0] ? 0 : copy.length === sizes[1] ? 1 : -1;
  if (size >= 0 && free[size as 0 | 1].length < mostFree) free[size as 0 | 1].push(copy);
}
