import { once, setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import { createApp } from './app.ts';
import { shareMs } from './cluster/arrivals.ts';
import { beatMs, type Cluster } from './cluster/cluster.ts';
import { whileHeld } from './cluster/turn.ts';
import { type ContextParts, createContext, type ServeContext } from './context.ts';
import { runExports } from './export/exports.ts';
import { type Listening, listen, type TlsMaterial } from './listen.ts';
import type { Paging } from './paging.ts';
import type { Authorities } from './pki/authorities.ts';
import { issueServerCertificate, renewAtMs, skewMs } from './pki/authority.ts';
import { routes } from './routes.ts';
import { SteadyClock } from './steady-clock.ts';
import { withPort } from '../stats/address.ts';

export interface Place {
  host: string;
  port: number;
}

export interface ServerOptions {
  /** For people and programs. `tls`: a certificate of the user's, or `own` for one of the own authority. */
  web: Place & { tls?: { cert: string; key: string } | 'own' };
  /** For agents, by mutual TLS with the own authority; null: none. */
  agents: Place | null;
  /** Further names by which this server is reached. */
  names: readonly string[];
}

export interface RunningServer {
  web: Listening;
  agents: Listening | null;
  context: ServeContext;
  stop(): Promise<void>;
}

/** How often sessions and invitations that are over are forgotten, and the own certificate is looked at. */
const houseworkMs = 10 * 60_000;
/** Roll-ups follow this closely. */
const maintainMs = 10_000;
const graceMs = 5000;
/** How far back the newest samples are looked for at the start. */
const restoredMs = 3_600_000;

/**
 * Starts the doors of a server. Resolves when both listen.
 * @throws the system's error when it cannot listen; nothing is left open then
 */
export async function startServer(
  options: ServerOptions,
  parts: Omit<ContextParts, 'agentsUrl' | 'stopping' | 'outbox'> & { paging?: Paging },
): Promise<RunningServer> {
  const stop = new AbortController();
  // Each kind of housework listens to it, and each of its waits.
  setMaxListeners(0, stop.signal);
  const { authorities, paging } = parts;
  const names = namesOf(options);
  const certificate = authorities ? ownCertificate(authorities, names, parts.io.clock.wallMs) : null;
  const agentsUrl = options.agents ? agentsUrlOf(options.agents, options.names) : null;
  const context = createContext({
    ...parts,
    agentsUrl,
    stopping: stop.signal,
    ...(paging && { outbox: paging }),
  });
  const hosts = new Set(names);
  const { tls: wish, ...place } = options.web;
  const ownTls = () => (wish === 'own' && certificate ? pick(certificate()) : undefined);
  const tls = wish === 'own' ? ownTls() : wish;
  const web = await listen({ ...place, ...(tls ? { tls } : {}) }, createApp(routes, { door: 'web', hosts }, context));
  let agents: Listening | null = null;
  try {
    if (options.agents && certificate)
      agents = await listen(
        { ...options.agents, tls: certificate() },
        createApp(routes, { door: 'agents', hosts }, context),
      );
  } catch (error) {
    await web.close(0);
    throw error;
  }
  if (agents && options.agents?.port === 0 && agentsUrl !== null)
    context.agentsUrl = agentsUrl.replace(/:0$/, `:${agents.port}`);
  const renew = () => {
    const own = ownTls();
    if (own) web.renew(own);
    if (agents && certificate) agents.renew(certificate());
  };
  authorities?.onChange(renew);
  // Gauges only: a dashboard is not to go blank because of a restart.
  await context.store.latest(context.io.clock.wallMs() - restoredMs).then(
    (samples) => context.meter.restore(samples),
    (error: unknown) => context.io.log.warn(`/metrics begins empty: ${String(error)}`),
  );
  // Before the first turn: who does what depends on who is there.
  await context.cluster?.beat();
  paging?.listensAt(web.url);
  const steady = new SteadyClock(context.io.clock);
  const housework = [
    ...(context.cluster ? clusterWork(context, context.cluster, stop.signal) : []),
    context.evaluation.run(stop.signal),
    ...(paging ? [sending(context, paging, stop.signal)] : []),
    ...(parts.exporting
      ? [runExports(context, { ...parts.exporting, instance: `${hostname()}:${web.port}` }, stop.signal)]
      : []),
    repeat(houseworkMs, stop.signal, context, async () => {
      renew();
      await context.documents.sweep?.();
      await context.sessions.sweep();
      await context.agents?.sweep();
      await context.audit.prune();
    }),
    repeat(maintainMs, stop.signal, context, () => maintain(context, steady)),
  ];
  return {
    web,
    agents,
    context,
    stop: async () => {
      stop.abort();
      context.events.close();
      await Promise.all([web.close(graceMs), agents?.close(graceMs), ...housework]);
      await context.cluster?.leave().catch(() => undefined);
    },
  };
}

/** Of a cluster the node that judges sends, too. */
async function sending({ cluster, io }: ServeContext, paging: Paging, signal: AbortSignal): Promise<void> {
  if (cluster) return whileHeld(paging, { cluster, task: 'watch' }, io, signal);
  paging.start();
  if (!signal.aborted) await once(signal, 'abort');
  await paging.stop();
}

function clusterWork(context: ServeContext, cluster: Cluster, signal: AbortSignal): Promise<void>[] {
  return [
    repeat(beatMs, signal, context, () => cluster.beat()),
    repeat(shareMs, signal, context, () => context.arrivals.share()),
    repeat(maintainMs, signal, context, async () => context.authorities?.refresh()),
  ];
}

/** Names that a Host header may say: where it listens, this machine's loopback, its name, and what the operator adds. */
function namesOf({ web, agents, names }: ServerOptions): string[] {
  const listening = [web.host, agents?.host].filter((host) => host !== undefined && !isAny(host));
  const own = ['localhost', '127.0.0.1', '::1', hostname(), ...listening, ...names];
  return [...new Set(own.map((name) => String(name).toLowerCase()))];
}

const isAny = (host: string): boolean => host === '0.0.0.0' || host === '::';

function agentsUrlOf({ host, port }: Place, names: readonly string[]): string {
  const name = names[0] ?? (isAny(host) ? hostname() : host);
  return `https://${withPort(name, port)}`;
}

/** The certificate of the agents' door, made anew when the authority that signs has changed or two thirds of its life are over. */
function ownCertificate(authorities: Authorities, names: readonly string[], wallMs: () => number): () => TlsMaterial {
  let made: { by: string; fromMs: number; renewMs: number; cert: string; key: string } | null = null;
  return () => {
    const signer = authorities.signer();
    const nowMs = wallMs();
    const isOf = made !== null && made.by === signer.certificate;
    // Before its begin: it was made while our clock was ahead.
    if (made === null || !isOf || nowMs >= made.renewMs || nowMs < made.fromMs) {
      const { certificate, key, notAfterMs } = issueServerCertificate(signer, names, nowMs);
      const renewMs = renewAtMs(nowMs, notAfterMs);
      made = { by: signer.certificate, fromMs: nowMs - skewMs, renewMs, cert: certificate + signer.certificate, key };
    }
    return { cert: made.cert, key: made.key, clientAuthorities: authorities.bundle() };
  };
}

/** Without the authorities of clients: browsers are asked for no certificate. */
const pick = ({ cert, key }: TlsMaterial): TlsMaterial => ({ cert, key });

async function maintain({ store, io, figures }: ServeContext, steady: SteadyClock): Promise<void> {
  try {
    await store.maintain(io.clock.wallMs(), steady.nowMs());
    figures.maintainedAtMs = io.clock.wallMs();
  } catch (error) {
    figures.maintenanceFailures++;
    throw error;
  }
}

async function repeat(
  everyMs: number,
  signal: AbortSignal,
  { io }: ServeContext,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await io.clock.sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    await work().catch((error: unknown) => {
      io.log.warn(`housework failed: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}
