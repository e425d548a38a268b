import { createHash } from 'node:crypto';
import { endpointFinder, serverOf } from '../../gather/capture/endpoints.ts';
import { observationsOf, qualityOf } from '../../gather/capture/observations.ts';
import type { CaptureReport, FlowWithExchanges } from '../../model/capture/report.ts';
import type { Network } from '../../model/network.ts';
import type { Observation } from '../../model/observation.ts';
import { columnsOf } from '../../store/columns.ts';
import { type BareSample, sampleOf } from '../../store/sample-of.ts';
import type { Store } from '../../store/store.ts';
import type { Io } from '../../wire/io.ts';
import type { StoreFlags } from '../open-store.ts';

/** Samples of one batch: what the store takes at once. */
const batchSamples = 2000;

/** What came into the store. */
export interface Kept {
  samples: number;
  /** Of those, what was there already. */
  known: number;
  endpoints: number;
  /** Conversations that go to none of the endpoints. */
  unnamed: number;
}

/** The way of a capture into the store. */
export interface Keeper {
  flow(flow: FlowWithExchanges, startAt: string | null): void;
  end(report: Pick<CaptureReport, 'startAt' | 'sources' | 'packets' | 'quality'>): Promise<Kept>;
  close(): Promise<void>;
}

export interface KeepFlags {
  data: string | undefined;
  store: string | undefined;
  documents: StoreFlags['documents'];
  vantage: string | undefined;
}

/** Null where nobody asked for a store. @throws UsageError for a store that cannot be opened */
export async function openKeeper(flags: KeepFlags, network: Network | null, io: Io): Promise<Keeper | null> {
  const { data, store, documents } = flags;
  if (data === undefined && store === undefined) return null;
  // The engines of stores take longer to load than most captures to read.
  const { openFlaggedStore } = await import('../open-store.ts');
  const opened = await openFlaggedStore({ data: data ?? 'inferpath-data', store, documents }, 'nowhere', io);
  const vantage = flags.vantage ?? network?.vantage?.name ?? 'capture';
  return { ...keeper(opened.store, network, vantage), close: opened.close };
}

/**
 * Of the conversations it keeps those with endpoints of the network file; without a file those that streamed answers, by the name that
 * TLS asks for, or by address and port.
 */
export function keeper(
  store: Pick<Store, 'append'>,
  network: Network | null,
  from: string,
): Pick<Keeper, 'flow' | 'end'> {
  const find = network && endpointFinder(network);
  const endpoints = new Set<string>();
  const kept: Kept = { samples: 0, known: 0, endpoints: 0, unnamed: 0 };
  let waiting: BareSample[] = [];
  let writing: Promise<void> = Promise.resolve();
  const add = (observations: readonly Observation[]) => {
    waiting.push(...observations.map(sampleOf));
    if (waiting.length >= batchSamples) write();
  };
  const write = () => {
    const samples = waiting;
    waiting = [];
    if (samples.length === 0) return;
    kept.samples += samples.length;
    writing = writing.then(async () => {
      const columns = columnsOf(samples);
      // The same capture is the same batches, so that reading it again stores nothing twice.
      const digest = createHash('sha256').update(from).update(JSON.stringify(columns)).digest('hex');
      const [done] = await store.append([{ key: `capture-${digest}`, agent: from, columns }]);
      if (done === 'duplicate') kept.known += samples.length;
    });
    // Whoever awaits the end hears of it; until then it is nobody's unhandled rejection.
    writing.catch(() => undefined);
  };
  return {
    flow: (flow, startAt) => {
      const to = find ? find(serverOf(flow)) : nameOf(flow);
      if (to === null || startAt === null) kept.unnamed += 1;
      else {
        endpoints.add(to);
        add(observationsOf(flow, { startEpochMs: Date.parse(startAt), from, to }));
      }
    },
    end: async (report) => {
      if (report.startAt !== null && endpoints.size > 0)
        add([qualityOf(report, { startEpochMs: Date.parse(report.startAt), from })]);
      write();
      await writing;
      return { ...kept, endpoints: endpoints.size };
    },
  };
}

function nameOf(flow: FlowWithExchanges): string | null {
  if (!flow.exchanges.some(({ shape }) => shape === 'stream')) return null;
  const { names, place } = serverOf(flow);
  return names[0] ?? place;
}
