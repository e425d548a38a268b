import type { Change } from '../../model/change.ts';
import type { Finding } from '../../model/finding.ts';
import type { EngineeringReport } from '../../model/plan/engineering.ts';
import { type Analysed, percent, worthTelling } from './words.ts';
import { weightChanges, weightFindings } from './weight-findings.ts';

/** Judgements of an analysis: is a link too full, when and after what; what rerouting alone would buy; which link comes first. */
/** @param unjudged links whose capacity is not known: while there are some, nothing passes */
export function engineeringFindings(report: Analysed, unjudged: readonly string[] = []): Finding[] {
  if (report.source.volume === 0 || report.links.length === 0) return [];
  return [linksOver(report, unjudged), ...rerouting(report), ...weightFindings(report), ...unrouted(report)];
}

const inWords = (years: number): string => (years === 0 ? 'now' : `in ${Number(years.toPrecision(2))} years`);

/** `edge_16 (Kansas City – Denver)`: names of links alone say little where a file numbers them. */
export function namedLink(link: string, links: EngineeringReport['links']): string {
  const one = links.find((direction) => direction.link === link);
  return one ? `${link} (${one.from} – ${one.to})` : link;
}

function linksOver(
  { limit, links, shortestPath, upgrades, years, growthPerYear, failures }: Analysed,
  unjudged: readonly string[],
): Finding {
  const [first] = upgrades.given;
  const last = years.at(-1)!;
  const hottest = links.reduce((a, b) => (b.utilisation > a.utilisation ? b : a));
  const fullest = `${hottest.from} → ${hottest.to} (${hottest.link}) with ${percent(hottest.utilisation)}`;
  const evidence = [
    {
      metric: 'largest utilisation, routing as given',
      value: shortestPath.maxUtilisation,
      unit: 'share',
      n: links.length,
      how: 'shortest paths with ECMP, computed',
    },
  ];
  const base = { id: 'link-over-limit', pillar: 'scale', evidence, confidence: 'medium', coverage: 1 } as const;
  if (!first)
    return {
      ...base,
      verdict: unjudged.length > 0 ? 'unknown' : 'pass',
      severity: 'info',
      coverage: 1 - unjudged.length / (unjudged.length + new Set(links.map(({ link }) => link)).size),
      subject: hottest.link,
      claim: `No link passes ${percent(limit)} within ${last.year} years${failures.length > 0 ? ', single failures included' : ''}; the fullest is ${fullest} now`,
      details: unjudged.length > 0 ? [`the capacity of ${unjudged.join(', ')} is not known`] : [],
    };
  const name = namedLink(first.link, links);
  const normal = links.filter(({ utilisation }) => utilisation > limit).length;
  return {
    ...base,
    verdict: 'fail',
    severity: first.inYears === 0 ? 'critical' : 'warning',
    subject: first.link,
    claim:
      first.inYears === 0
        ? `${name} is over ${percent(limit)} now (${first.because}), and ${upgrades.given.length} links are by year ${last.year}`
        : `${name} passes ${percent(limit)} ${inWords(first.inYears)} (${first.because}); ${upgrades.given.length} links do by year ${last.year}`,
    details: [
      `demand grows ${percent(growthPerYear)} a year; with nothing failed ${normal} directions are over the limit now, and the fullest is ${fullest}`,
    ],
    remedy: { text: `Raise the capacity of ${first.link} ${first.units} times, or spread its traffic` },
  };
}

function rerouting({ maxUtilisation, lowerBound, gap, shortestPath, headroom }: Analysed): Finding[] {
  const gain = 1 - maxUtilisation / shortestPath.maxUtilisation;
  if (!(shortestPath.maxUtilisation > 0)) return [];
  const isWorth = gain > worthTelling;
  const proof = gap <= 1e-6 ? 'proved least' : `proved within ${percent(gap)}`;
  return [
    {
      id: 'routing-spread',
      verdict: isWorth ? 'fail' : 'pass',
      severity: isWorth ? 'warning' : 'info',
      pillar: 'scale',
      subject: 'routing',
      claim: isWorth
        ? `Rerouting alone lowers the largest utilisation from ${percent(shortestPath.maxUtilisation)} to ${percent(maxUtilisation)}`
        : `Routing as given is as good as any: ${percent(shortestPath.maxUtilisation)} against ${percent(maxUtilisation)} at best`,
      details: [
        `the best routing splits traffic at will (segment routing or MPLS come near it); ${proof}`,
        ...(headroom === null
          ? []
          : [
              headroom < 1
                ? `even then the limit holds only for ${percent(headroom)} of the demand`
                : `with it demand could grow ${Number(headroom.toPrecision(3))} times before a link passes the limit`,
            ]),
      ],
      evidence: [
        {
          metric: 'least largest utilisation',
          value: maxUtilisation,
          unit: 'share',
          interval: [lowerBound, maxUtilisation],
          n: 1,
          how: 'multicommodity flow, bound from duality',
        },
      ],
      confidence: 'high',
      coverage: 1,
      ...(isWorth
        ? { remedy: { text: 'Spread traffic by segment routing, MPLS-TE or other weights before buying capacity' } }
        : {}),
    },
  ];
}

function unrouted({ unroutedVolume, source }: Analysed): Finding[] {
  if (unroutedVolume === 0) return [];
  return [
    {
      id: 'demand-without-path',
      verdict: 'fail',
      severity: 'critical',
      pillar: 'reach',
      subject: 'network',
      claim: `${percent(unroutedVolume / source.volume)} of the demand has no path at all`,
      details: ['it is left out of all utilisations'],
      evidence: [
        {
          metric: 'demand without a path',
          value: unroutedVolume,
          unit: source.unit,
          n: source.demands,
          how: 'reachability over links with capacity',
        },
      ],
      confidence: 'high',
      coverage: 1,
      remedy: { text: 'Add a link between the parts that are not connected' },
    },
  ];
}

/** Changes: other weights, which cost nothing, then upgrades by date for routing as given, then the first that helps the best routing. */
export function engineeringChanges(report: Analysed): Change[] {
  const { upgrades, source, limit } = report;
  const amount = (value: number) => `${Number(value.toPrecision(4))} ${source.unit}`;
  const verify = `inferpath plan engineering with the new capacity: the link stays under ${percent(limit)}`;
  const rollback =
    'order no more than the first unit before the traffic is there; units that are in use cannot be given back without loss';
  return [
    ...weightChanges(report),
    ...upgrades.given.map(({ link, inYears, because, capacity, units, utilisation, after }): Change => ({
      id: 'upgrade-link',
      target: link,
      before: amount(capacity),
      after: `${amount(capacity * units)}, first needed ${inWords(inYears)} (${because})`,
      buys: [
        {
          metric: 'largest utilisation in the last year, failures included',
          before: utilisation,
          after,
          unit: 'share',
        },
      ],
      verify,
      rollback,
    })),
    ...upgrades.best.map(({ link, before, after }): Change => ({
      id: 'upgrade-link-with-best-routing',
      target: link,
      before: 'its capacity of today',
      after: 'twice that, with traffic spread at will',
      buys: [{ metric: 'least largest utilisation', before, after, unit: 'share' }],
      verify,
      rollback,
    })),
  ];
}
