import * as z from 'zod';

/** Where in the life of a probe something happened. */
export const phaseName = z.enum(['dns', 'tcp', 'proxy', 'tls', 'upload', 'wait', 'stream']);
export type PhaseName = z.infer<typeof phaseName>;

/**
 * How one probe ended: a closed union with the reason inside. `timedOut` says in which phase we stopped waiting and is
 * never read as "no"; `failed` carries what the operating system or the peer said.
 */
export const outcome = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('answered') }).meta({ description: 'The peer answered in full.' }),
    z
      .object({ kind: z.literal('lost') })
      .meta({ description: 'No answer within the wait; counts as loss (RFC 7680).' }),
    z.object({ kind: z.literal('late'), afterMs: z.number() }).meta({
      description:
        'The answer came after the wait was over; counts as loss (RFC 7680), and says that the wait was short.',
    }),
    z.object({ kind: z.literal('otherAddress'), address: z.string() }).meta({
      description: 'The probe was answered, but from another address than it was sent to.',
    }),
    z
      .object({ kind: z.literal('refused'), address: z.string() })
      .meta({ description: 'The peer answered with a TCP reset or an ICMP port unreachable.' }),
    z
      .object({ kind: z.literal('unreachable'), by: z.string(), message: z.string() })
      .meta({ description: 'A router or the own host said that there is no way.' }),
    z
      .object({ kind: z.literal('timedOut'), phase: phaseName, afterMs: z.number() })
      .meta({ description: 'We stopped waiting in this phase.' }),
    z
      .object({
        kind: z.literal('rejected'),
        status: z.number().int(),
        code: z.string().optional(),
        message: z.string(),
        retryAfterMs: z.number().optional(),
      })
      .meta({ description: 'The server answered with an error: its status, its own code and words.' }),
    z.object({ kind: z.literal('brokenStream'), message: z.string() }).meta({
      description: 'The answer began and did not end as its dialect says: cut, garbage, error inside the stream.',
    }),
    z
      .object({
        kind: z.literal('failed'),
        phase: phaseName,
        operation: z.string(),
        errno: z.string(),
        address: z.string(),
        message: z.string(),
      })
      .meta({ description: 'A system call, TLS or HTTP failed: which, why, against whom.' }),
    z.object({ kind: z.literal('interrupted') }).meta({ description: 'The user stopped the run.' }),
  ])
  .meta({ description: 'How the probe ended.' });
export type Outcome = z.infer<typeof outcome>;

/** One line of plain words for an outcome, for terminals and findings. Text from a peer is shortened and made printable. */
export function describeOutcome(o: Outcome): string {
  switch (o.kind) {
    case 'answered':
      return 'answered';
    case 'lost':
      return 'no answer';
    case 'late':
      return Number.isNaN(o.afterMs) ? 'answered too late' : `answered too late, after ${o.afterMs.toFixed(1)} ms`;
    case 'otherAddress':
      return `answered by another address, ${o.address}`;
    case 'refused':
      return `connection refused by ${o.address}`;
    case 'unreachable':
      return `unreachable, says ${o.by}: ${printable(o.message)}`;
    case 'timedOut':
      return `no answer after ${Math.round(o.afterMs)} ms in phase ${o.phase}`;
    case 'rejected':
      return `HTTP ${o.status}${o.code ? ` ${printable(o.code)}` : ''}: ${printable(o.message)}`;
    case 'brokenStream':
      return `broken stream: ${printable(o.message)}`;
    case 'failed':
      return `${o.operation} ${o.address} failed in phase ${o.phase}: ${o.errno} ${printable(o.message)}`;
    case 'interrupted':
      return 'interrupted';
  }
}

/** Text from outside made safe to print: control characters escaped, cut at `max` characters. */
export function printable(text: string, max = 200): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what must not reach a terminal
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ');
  return clean.length > max ? `${clean.slice(0, max - 1)}…` : clean;
}
