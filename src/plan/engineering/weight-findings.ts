import type { Change } from '../../model/change.ts';
import type { Finding } from '../../model/finding.ts';
import { type Analysed, percent, worthTelling } from './words.ts';

/** What other link weights alone would do. */
export function weightFindings({ weights, shortestPath, lowerBound, headroom }: Analysed): Finding[] {
  if (!weights || !(shortestPath.maxUtilisation > 0)) return [];
  const { maxUtilisation, changed, tries, start } = weights;
  const isWorth = maxUtilisation < shortestPath.maxUtilisation * (1 - worthTelling);
  return [
    {
      id: 'link-weights',
      verdict: isWorth ? 'fail' : 'pass',
      severity: isWorth ? 'warning' : 'info',
      pillar: 'scale',
      subject: 'routing',
      claim: isWorth
        ? `Other weights on ${changed.length} links lower the largest utilisation from ${percent(shortestPath.maxUtilisation)} to ${percent(maxUtilisation)}; no routing gets below ${percent(lowerBound)}`
        : `No better weights were found: ${percent(shortestPath.maxUtilisation)}, and no routing gets below ${percent(lowerBound)}`,
      details: [
        `${tries} changes tried from weights ${start === 'given' ? 'as given' : `by ${start}`}, as good as was found and not proved the best`,
        ...afterFailure(weights.worstAfterFailure, shortestPath.headroomAfterFailure, headroom),
        ...(isWorth
          ? ['weights were chosen for load alone: look at round trips with plan failures before they are set']
          : []),
      ],
      evidence: [
        {
          metric: 'largest utilisation by the weights found',
          value: maxUtilisation,
          unit: 'share',
          interval: [lowerBound, maxUtilisation],
          n: tries,
          how: 'local search, shortest paths with ECMP computed',
        },
      ],
      confidence: 'high',
      coverage: 1,
      ...(isWorth
        ? { remedy: { text: 'Set these weights (see the change), which costs nothing, before buying capacity' } }
        : {}),
    },
  ];
}

function afterFailure(then: number | null, headroom: number | null, normal: number | null): string[] {
  if (then === null || headroom === null || normal === null) return [];
  return [`after the worst single failure the fullest link has ${percent(then)} with them`];
}

/** Setting the weights, as one change: half of them alone may be worse than none. */
export function weightChanges({ weights, shortestPath, limit }: Analysed): Change[] {
  if (!weights || !(weights.maxUtilisation < shortestPath.maxUtilisation * (1 - worthTelling))) return [];
  const { changed, maxUtilisation, worstAfterFailure } = weights;
  const list = (of: (one: (typeof changed)[number]) => number) =>
    changed.map((one) => `${one.link} (${one.from} – ${one.to}) ${Number(of(one).toPrecision(6))}`).join(', ');
  const failureBefore = shortestPath.headroomAfterFailure === null ? null : limit / shortestPath.headroomAfterFailure;
  return [
    {
      id: 'set-link-weights',
      target: 'routing',
      before: list(({ before }) => before),
      after: list(({ after }) => after),
      buys: [
        { metric: 'largest utilisation', before: shortestPath.maxUtilisation, after: maxUtilisation, unit: 'share' },
        ...(worstAfterFailure === null || failureBefore === null
          ? []
          : [
              {
                metric: 'largest utilisation after the worst failure',
                before: failureBefore,
                after: worstAfterFailure,
                unit: 'share',
              },
            ]),
      ],
      verify: 'inferpath plan engineering with these weights in the file: the fullest link is as full as said here',
      rollback: 'set the weights of before; while routing settles, some packets arrive late or twice',
    },
  ];
}
