/** What TCP makes of writes that follow each other with a pause: pieces of at most the largest segment. */
export function segmentsOf(writes: readonly Uint8Array[], mssBytes: number): Uint8Array[] {
  const size = Math.max(1, mssBytes);
  return writes.flatMap((write) =>
    Array.from({ length: Math.ceil(write.length / size) }, (_, i) => write.subarray(i * size, (i + 1) * size)),
  );
}
