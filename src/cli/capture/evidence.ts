import { endpointFinder, type Server, serverOf } from '../../gather/capture/endpoints.ts';
import { observationsOf, qualityOf } from '../../gather/capture/observations.ts';
import { sitePrefixes } from '../../gather/capture/patterns/direction.ts';
import type { Network } from '../../model/network.ts';
import type { Observation } from '../../model/observation.ts';
import type { Io } from '../../wire/io.ts';
import { UsageError } from '../command.ts';
import { inOrderOfTime } from './order.ts';
import { progressLine } from './progress.ts';
import { readPlaces } from './read.ts';
import { captureSession } from './session.ts';
import { threadsFor } from './threads.ts';

/** Observations that an assessment keeps of its captures; a report is no archive. */
const mostObservations = 200_000;

/** What captures tell, before it is known which server is which endpoint. */
export interface CaptureEvidence {
  /** @param addresses by name of the endpoint, what looking its name up gave */
  observations(addresses: ReadonlyMap<string, readonly string[]>): { observations: Observation[]; notes: string[] };
}

/** Reads captures as evidence for an assessment. @throws UsageError naming each file that cannot be read */
export async function captureEvidence(
  network: Network,
  given: readonly string[],
  vantage: string,
  io: Io,
): Promise<CaptureEvidence> {
  const found: { server: Server; observations: Observation[] }[] = [];
  const paths = await inOrderOfTime(given, io);
  let room = mostObservations;
  let leftOut = 0;
  const threads = await threadsFor(paths, null, { asked: undefined, told: 'all' }, io);
  const seed = Math.floor(io.random.next() * 2 ** 32);
  const session = captureSession(
    { prefixes: sitePrefixes(network), top: 1, seed, threads },
    {
      flow: (flow) => {
        const startAt = session.startAt();
        if (!flow.tcp || startAt === null) return;
        const one = { startEpochMs: Date.parse(startAt), from: vantage, to: '' };
        const observations = observationsOf(flow, one);
        if (observations.length > room) leftOut += 1;
        else {
          room -= observations.length;
          found.push({ server: serverOf(flow), observations });
        }
      },
    },
  );
  const { mistakes, ...read } = await readPlaces(paths, { live: null, pipe: null }, session, progressLine(io), io);
  const { report } = await session.finish({ ...read, interrupted: io.signals.interrupted.aborted });
  const unread = read.sources.flatMap(({ packets, problem }) => (packets === 0 && problem ? [problem] : []));
  if (mistakes.length + unread.length > 0)
    throw new UsageError([...mistakes, ...unread].map((text) => `--capture: ${text}`).join('\n'));
  return {
    observations: (addresses) => {
      const find = endpointFinder(network, (endpoint) => addresses.get(endpoint) ?? []);
      const named = found.flatMap(({ server, observations }) => {
        const to = find(server);
        return to === null ? [] : [observations.map((one) => ({ ...one, to }))];
      });
      const files = paths.length === 1 ? 'the capture' : `${paths.length} captures`;
      const words = `${files}: ${named.length} of ${found.length + leftOut} TCP conversations go to endpoints of this assessment`;
      const notes = [leftOut > 0 ? `${words}; ${leftOut} were too many and left out` : words];
      if (named.length === 0 || report.startAt === null) return { observations: [], notes };
      const quality = qualityOf(report, { startEpochMs: Date.parse(report.startAt), from: vantage });
      return { observations: [...named.flat(), quality], notes };
    },
  };
}
