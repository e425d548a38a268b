import type { PathReport, TraceChange } from '../../model/trace-report.ts';
import { analysePath } from './analyse.ts';
import type { BookedChange, PathBook } from './path-book.ts';

/**
 * The book as it is published.
 * @param wallAt turns the monotonic clock of the records into ISO 8601
 */
export function pathReports(
  book: PathBook,
  protocol: 'icmp' | 'udp' | 'tcp',
  wallAt: (monoMs: number) => string,
): PathReport[] {
  const { paths } = book;
  const asked = paths.flatMap(({ hops }) => hops.filter((hop) => hop.isTarget)).flatMap((hop) => hop.recent);
  return paths.map(({ hops, firstMs, lastMs, ...path }) => ({
    ...path,
    firstSeen: wallAt(firstMs),
    lastSeen: wallAt(lastMs),
    ...analysePath(hops, protocol, asked),
  }));
}

export function publishedChange({ atMs, ...change }: BookedChange, wallAt: (monoMs: number) => string): TraceChange {
  return { at: wallAt(atMs), ...change };
}
