import * as z from 'zod';
import { metricFormat, metricMedia, renderMetrics } from '../../report/openmetrics.ts';
import { printable } from '../../model/outcome.ts';
import { allFamilies } from '../metrics/families.ts';
import { probeFamilies } from '../metrics/probe-families.ts';
import { Problem } from '../problem.ts';
import { defineRoute } from '../route.ts';

const metricsRoute = defineRoute({
  method: 'GET',
  path: '/metrics',
  doors: ['web'],
  permission: 'metrics',
  about:
    'Everything that Prometheus wants: the names of blackbox_exporter for the shared part, inferpath_* for the rest; OpenMetrics or the ' +
    'classic text format, as Accept says.',
  reply: { media: 'text/plain', about: 'The exposition.' },
  handle: async ({ context, headers }) => {
    const families = await allFamilies(context, context.io.clock.wallMs());
    const format = metricFormat(headers.get('accept'));
    return new Response(streamOf(renderMetrics(families, format)), {
      headers: { 'content-type': metricMedia[format], vary: 'accept' },
    });
  },
});

/** Piece by piece, as fast as the reader takes them: between two families others have their turn. */
function streamOf(pieces: Iterator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: (controller) => {
      const { done, value } = pieces.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
}

/** Prometheus gives up by itself then: the answer has to be there before. */
const marginMs = 500;
const [usualMs, longestMs] = [10_000, 60_000];

const probeRoute = defineRoute({
  method: 'GET',
  path: '/probe',
  doors: ['web'],
  permission: 'probe',
  about:
    'Measures one endpoint of the network file now, from this server, and answers as blackbox_exporter does. Takes as long as ' +
    'X-Prometheus-Scrape-Timeout-Seconds allows, at most a minute.',
  query: z.strictObject({
    module: z.string().max(100).default('tcp').meta({ description: 'A probe: tcp, tls, dns, ping, inference …' }),
    target: z
      .string()
      .min(1)
      .max(2048)
      .meta({ description: 'Endpoint by its name, or by its URL as it stands in the file.' }),
  }),
  reply: { media: 'text/plain', about: 'The exposition.' },
  handle: async ({ query, headers, signal, context }) => {
    const limitMs = limitOf(headers.get('x-prometheus-scrape-timeout-seconds'));
    const { network } = context.configuration;
    const result = await context.onDemand.run(network, { ...query, limitMs }, signal);
    const families = probeFamilies(result);
    if (!families) {
      const why = result.observations.map(({ outcome }) => JSON.stringify(outcome)).join(', ');
      throw new Problem('busy', `this server could not measure: ${printable(why, 300)}`);
    }
    const format = metricFormat(headers.get('accept'));
    return new Response([...renderMetrics(families, format)].join(''), {
      headers: { 'content-type': metricMedia[format], vary: 'accept' },
    });
  },
});

function limitOf(header: string | null): number {
  const seconds = Number(header ?? Number.NaN);
  if (!(seconds > 0)) return usualMs;
  return Math.min(longestMs, Math.max(marginMs, seconds * 1000 - marginMs));
}

export const metricsRoutes = [metricsRoute, probeRoute];
