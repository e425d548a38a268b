import { printable } from '../model/outcome.ts';
import type { ImportContext, Sink } from './importer.ts';
import { iso, timeOfFile } from './probe-run.ts';

/** What a router said, in its own words and safe to print. */
export function spoken(message: string): string {
  return printable(message.trim());
}

/** A line by which ping tells that it could not even send: a name that does not resolve is an outcome, the rest a warning. */
export function describeLocal(message: string, line: number, context: ImportContext, sink: Sink): void {
  const unresolved =
    /(\S+)?: ?(Name or service not known|Temporary failure in name resolution|Unknown host)|^cannot resolve ([^\s:]+)|^unknown host (\S+)/i;
  const found = unresolved.exec(message);
  const isName = found || /name or service not known|name resolution/i.test(message);
  if (!isName) {
    sink.warning(line, `ping could not send: ${printable(message)}`);
    return;
  }
  const to = context.to ?? printable(found?.[1] ?? found?.[3] ?? found?.[4] ?? 'unnamed');
  sink.observation({
    kind: 'ping',
    at: iso(context.clock.ms),
    from: context.from ?? 'unnamed',
    to,
    how: `imported from ping, ${context.source}; ${timeOfFile(context)}`,
    outcome: {
      kind: 'failed',
      phase: 'dns',
      operation: 'getaddrinfo',
      errno: 'ENOTFOUND',
      address: to,
      message: printable(message),
    },
    address: '',
    method: 'icmp',
    sequence: 1,
    rttMs: null,
  });
}
