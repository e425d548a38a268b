import type { Finding } from '../../model/finding.ts';
import type { EngineeringReport, LinkCapacity } from '../../model/plan/engineering.ts';
import { capacityInWords } from '../link-capacities.ts';

/** Links whose measured throughput is held against what the file says of them. */
export function capacityFindings({
  capacities,
  links,
  limit,
}: Pick<EngineeringReport, 'capacities' | 'links' | 'limit'>): Finding[] {
  return capacities.map((one): Finding => {
    const { link, measured, counted, entered, is } = one;
    const load = Math.max(0, ...links.filter((way) => way.link === link).map((way) => way.load));
    const share = load / measured!.value;
    const isAtOdds = is === 'limited' || is === 'above';
    const isOpen = is === 'below' || is === 'atLeast';
    return {
      id: 'capacity-measured',
      verdict: isAtOdds ? 'fail' : isOpen ? 'unknown' : 'pass',
      severity: isAtOdds ? 'warning' : 'info',
      pillar: 'scale',
      subject: link,
      claim: `${link}: ${capacityInWords(one)}`,
      details: [
        measured!.how,
        `its load of ${Number(load.toPrecision(3))} Gbit/s is ${Number((share * 100).toPrecision(3))} % of what was measured; ${Number((limit * 100).toPrecision(3))} % is the limit`,
      ],
      evidence: [
        { metric: 'measured throughput', value: measured!.value, unit: 'Gbit/s', n: 1, how: measured!.how },
        ...(entered === null
          ? []
          : [
              { metric: 'entered capacity', value: entered, unit: 'Gbit/s', n: 0, how: counted?.how ?? 'network file' },
            ]),
      ],
      confidence: is === 'below' ? 'low' : 'high',
      coverage: isOpen ? 0.5 : 1,
      ...(remedyOf(one) ? { remedy: { text: remedyOf(one)! } } : {}),
    };
  });
}

function remedyOf({ link, is, measured }: LinkCapacity): string | null {
  const seen = Number(measured!.value.toPrecision(3));
  switch (is) {
    case 'above':
      return `Correct links.${link}.capacityGbps: it carries at least ${seen}`;
    case 'limited':
      return `Ask who sold ${link} for the rest, or correct its capacityGbps to ${seen}; traffic of others at the time counts, too`;
    case 'below':
      return `Measure ${link} when it is quiet, with more streams (inferpath throughput --parallel 16) or datagrams (--udp)`;
    case 'atLeast':
      return `Enter links.${link}.capacityGbps`;
    default:
      return null;
  }
}
