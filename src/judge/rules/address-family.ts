import { familyOf, isIP, withoutPort } from '../../stats/address.ts';
import { type Draft, perEndpoint, type Subject } from '../per-endpoint.ts';
import { count } from '../say.ts';

interface Tried {
  came: number;
  failed: number;
}

export const addressFamily = perEndpoint(
  {
    id: 'address-family',
    about: 'Is the endpoint reached over every address family that its name publishes?',
    pillar: 'reach',
  },
  (subject): Draft | null => {
    if (isIP(subject.url.hostname)) return null;
    const published = publishedOf(subject);
    if (published.length === 0) return null;
    const tried = triedOf(subject);
    const dead = published.filter((f) => tried[f].came === 0 && tried[f].failed >= 3);
    const open = published.filter((f) => tried[f].came === 0 && tried[f].failed < 3);
    const details = published.map(
      (f) => `IPv${f}: ${tried[f].came} of ${count(tried[f].came + tried[f].failed, 'connection')} arrived`,
    );
    if (dead.length > 0 && dead.length < published.length)
      return {
        verdict: 'fail',
        claim: `DNS publishes IPv${dead[0]}, but 0 of ${tried[dead[0]!].failed} connections over it arrived`,
        details,
        remedy: {
          text: `repair IPv${dead[0]} on the way, or take the record out of DNS: clients that prefer it wait 250 ms or more before they fall back (RFC 8305)`,
        },
      };
    // When nothing arrives over any family the endpoint is down: that is the finding reachable, not this one.
    if (dead.length > 0) return null;
    if (open.length > 0)
      return {
        verdict: 'unknown',
        claim: `DNS publishes IPv${open.join(' and IPv')}, which was not tried often enough: needs 1 connection that arrives (--family ${open[0]})`,
        details,
        coverage: (published.length - open.length) / published.length,
      };
    return {
      verdict: 'pass',
      claim: `${published.length} of ${published.length} published address families work (IPv${published.join(' and IPv')})`,
      details,
    };
  },
);

function publishedOf({ view, name }: Subject): (4 | 6)[] {
  const families = new Set(view.of('dns', name).flatMap((o) => o.addresses.map(familyOf)));
  return ([4, 6] as const).filter((f) => families.has(f));
}

function triedOf({ view, name }: Subject): Record<4 | 6, Tried> {
  const tried = { 4: { came: 0, failed: 0 }, 6: { came: 0, failed: 0 } };
  const count = (address: string | null, came: boolean) => {
    const family = address === null ? null : familyOf(withoutPort(address));
    if (family !== null) tried[family][came ? 'came' : 'failed']++;
  };
  for (const o of view.of('tcp', name)) count(o.address, o.rttMs !== null);
  for (const { request } of view.of('inference', name))
    count(request.address, request.phases.tcpMs !== null || request.reused);
  return tried;
}
