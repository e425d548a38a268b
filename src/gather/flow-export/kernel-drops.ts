import type { Files } from '../../wire/io.ts';

/**
 * Datagrams that the kernel dropped at the UDP sockets of this network namespace that are bound to one of `ports`, from
 * /proc/net/udp{,6}: local address in column 2, drops in the last. Null where there are no such tables (anything but Linux).
 */
export async function kernelDrops(files: Pick<Files, 'readText'>, ports: readonly number[]): Promise<number | null> {
  const tables = await Promise.all(
    ['/proc/net/udp', '/proc/net/udp6'].map((path) => files.readText(path).catch(() => null)),
  );
  if (tables.every((table) => table === null)) return null;
  return tables.reduce((sum, table) => sum + dropsIn(table ?? '', ports), 0);
}

/** Exported for its test. */
export function dropsIn(table: string, ports: readonly number[]): number {
  let drops = 0;
  for (const line of table.split('\n').slice(1)) {
    const words = line.trim().split(/\s+/);
    const port = Number.parseInt(words[1]?.split(':')[1] ?? '', 16);
    if (ports.includes(port)) drops += Number(words.at(-1)) || 0;
  }
  return drops;
}
