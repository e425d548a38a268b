import type { Documents } from '../store/documents.ts';
import type { Room } from '../store/duckdb/room.ts';
import type { Store } from '../store/store.ts';
import type { Io } from '../wire/io.ts';
import { Agents } from './agents.ts';
import { Audit } from './audit.ts';
import { Sessions } from './auth/sessions.ts';
import { Tokens } from './auth/tokens.ts';
import { Arrivals } from './cluster/arrivals.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { Configuration } from './configuration.ts';
import { Current } from './current.ts';
import { Evaluation, type Outbox } from './evaluation.ts';
import { EventHub } from './events.ts';
import type { ExportParts } from './export/exports.ts';
import { Ingest } from './ingest.ts';
import { Keeping } from './keeping.ts';
import { BackOff, RateLimit } from './limits.ts';
import { Figures } from './metrics/figures.ts';
import { Meter } from './metrics/meter.ts';
import { OnDemand, type ProbingParts } from './on-demand.ts';
import type { Authorities } from './pki/authorities.ts';
import { Refusals } from './refusals.ts';

/** Everything that the routes of one server share. */
export interface ServeContext {
  io: Pick<Io, 'clock' | 'log' | 'random'>;
  version: string;
  documents: Documents;
  store: Store;
  configuration: Configuration;
  audit: Audit;
  tokens: Tokens;
  sessions: Sessions;
  /** Null where no agents can connect. */
  agents: Agents | null;
  authorities: Authorities | null;
  ingest: Ingest;
  /** Whether what comes in can be kept. */
  keeping: Keeping;
  /** Free space on the disk of the samples; null where it is not ours. */
  room: () => Promise<Room | null>;
  /** What has been stored, counted for `/metrics`. */
  meter: Meter;
  figures: Figures;
  /** Probes that `/probe` asks for. */
  onDemand: OnDemand;
  /** When agents were last heard of, by this node or another. */
  arrivals: Arrivals;
  /** The other nodes on the same documents; null where there can be none. */
  cluster: Cluster | null;
  /** What the rules say of the last hour. */
  current: Current;
  /** What the judge over time makes of it, every few seconds. */
  evaluation: Evaluation;
  events: EventHub;
  refusals: Refusals;
  backOff: BackOff;
  limits: { known: RateLimit; unknown: RateLimit };
  /** Where agents connect to, as an operator tells it to them; null where they cannot. */
  agentsUrl: string | null;
  /** Whether this server is on its way down: not ready any more, but alive. */
  stopping: AbortSignal;
}

export interface ContextParts {
  io: Pick<Io, 'clock' | 'log' | 'random'>;
  version: string;
  documents: Documents;
  store: Store;
  configuration: Configuration;
  authorities: Authorities | null;
  agentsUrl: string | null;
  stopping: AbortSignal;
  cluster?: Cluster | null;
  /** Of the disk of the samples; absent: it is not ours. */
  room?: () => Promise<Room | null>;
  /** Where pages go; absent: nobody is told. */
  outbox?: Outbox;
  /** What it takes to push metrics; absent: `watch.export` is not heeded. */
  exporting?: ExportParts;
  /** What it takes to measure by itself; absent: /probe is not offered. */
  probing?: ProbingParts;
}

export function createContext(parts: ContextParts): ServeContext {
  const { io, authorities, store, configuration, cluster = null } = parts;
  const keeping = new Keeping(io);
  const documents = keeping.watched(parts.documents);
  const audit = new Audit(documents, io.clock);
  const tokens = new Tokens(documents, audit, io.clock);
  const events = new EventHub(io);
  const meter = new Meter();
  meter.configure(configuration.network);
  const ingest = new Ingest({ store, configuration, events, meter, keeping, io });
  configuration.onChange((changes) => {
    meter.configure(configuration.network);
    events.publish('network', { revision: configuration.revision, changes: changes.length });
  });
  const arrivals = new Arrivals(ingest, cluster && { documents, cluster, events });
  const agents = authorities ? new Agents(documents, audit, io.clock, authorities) : null;
  return {
    ...parts,
    documents,
    keeping,
    room: parts.room ?? (() => Promise.resolve(null)),
    audit,
    tokens,
    sessions: new Sessions(documents, audit, io.clock, tokens),
    agents,
    evaluation: new Evaluation(
      { store, documents, configuration, arrivals, cluster, events, agents, io },
      parts.outbox ?? null,
    ),
    ingest,
    meter,
    figures: new Figures(),
    onDemand: new OnDemand(parts.probing ?? null),
    arrivals,
    cluster,
    current: new Current({ store, io, version: parts.version, configuration }),
    events,
    refusals: new Refusals(audit, io.clock),
    backOff: new BackOff(io.clock),
    limits: {
      known: new RateLimit(io.clock, { perS: 100, burst: 300 }),
      unknown: new RateLimit(io.clock, { perS: 1, burst: 20 }),
    },
  };
}
