import { metricFormat, metricMedia, renderMetrics } from '../../report/openmetrics.ts';
import { lineFamilies } from '../metrics/line-families.ts';
import { ownFamilies } from '../metrics/own-families.ts';
import { defineRoute } from '../route.ts';

export const metricsRoute = defineRoute({
  method: 'GET',
  path: '/metrics',
  doors: ['web'],
  permission: 'metrics',
  about:
    'Everything that Prometheus wants: the names of blackbox_exporter for the shared part, inferpath_* for the rest; OpenMetrics or the ' +
    'classic text format, as Accept says.',
  reply: { media: 'text/plain', about: 'The exposition.' },
  handle: async ({ context, headers }) => {
    const nowMs = context.io.clock.wallMs();
    const own = await ownFamilies(context, nowMs);
    const format = metricFormat(headers.get('accept'));
    const families = function* () {
      yield* lineFamilies(context.meter, nowMs);
      yield* own;
    };
    return new Response(streamOf(renderMetrics(families(), format)), {
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
