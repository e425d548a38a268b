import { hostOf, portOf } from '../../measure/url.ts';
import { probes } from '../../measure/probes.ts';
import type { Probe } from '../../measure/probe.ts';
import { type AgentJob, agentJob } from '../../model/agent-protocol.ts';
import { printable } from '../../model/outcome.ts';
import { watchProbe } from '../../model/watch.ts';
import type { TargetPolicy } from './target-policy.ts';
import { isIP } from 'node:net';

/** A job that passed every check of this agent: what the server asked for, and how it is done here. */
export interface RunnableJob {
  id: string;
  everyMs: number;
  endpoint: string;
  url: URL;
  probe: Probe;
  options: unknown;
}

/** A job that this agent does not do, and why. */
export interface RefusedJob {
  id: string;
  why: string;
}

/** What the agent's user has decided, and no server can change. */
export interface JobRules {
  policy: TargetPolicy;
  /**
   * The API key for an endpoint that needs one. `auth` is what the server says about where it is to be found; whether this agent
   * hands it to this host is for its user to say.
   * @returns the key, or why there is none
   */
  keyFor: (url: URL, auth: { env?: string; file?: string }, endpoint: string) => { key: string } | { why: string };
}

/** Options that no server may set: they would carry secrets or lead somewhere else than to the target. */
const ownOptions: ReadonlySet<string> = new Set(['apiKey', 'key', 'proxy', 'headers', 'insecure']);

/** Sorts the jobs of a list into what can be run and what is refused; one bad job does not take the others with it. */
export function acceptJobs(
  jobs: readonly AgentJob[],
  rules: JobRules,
): { accepted: RunnableJob[]; refused: RefusedJob[] } {
  const accepted = new Map<string, RunnableJob>();
  const refused: RefusedJob[] = [];
  for (const job of jobs) {
    const result = accepted.has(job.id) ? 'the id is there twice' : accept(job, rules);
    if (typeof result === 'string') refused.push({ id: printable(job.id, 100), why: printable(result, 300) });
    else accepted.set(job.id, result);
  }
  return { accepted: [...accepted.values()], refused };
}

function accept(job: AgentJob, { policy, keyFor }: JobRules): RunnableJob | string {
  const shape = agentJob.safeParse(job);
  if (!shape.success) return shape.error.issues[0]?.message ?? 'it is no job';
  const probe = watchProbe.safeParse(job.probe).success ? probes.find(({ kind }) => kind === job.probe) : undefined;
  if (!probe) return `this agent has no probe "${job.probe}"`;
  const { auth, reflector, ...asked } = job.options;
  const forbidden = Object.keys(asked).find((name) => ownOptions.has(name));
  if (forbidden !== undefined) return `the option "${forbidden}" is not for a server to set`;
  const url = targetOf(job, reflector);
  if (typeof url === 'string') return url;
  const host = hostOf(url);
  const why = isIP(host) === 0 ? null : policy.refusal(host);
  if (why !== null) return `${host} ${why}`;
  const credentials = credentialsFor(job, url, auth, keyFor);
  if (typeof credentials === 'string') return credentials;
  const options = probe.options.safeParse({ ...onePerRun(job), ...asked, ...credentials });
  if (!options.success) {
    const [issue] = options.error.issues;
    return `options.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'refused'}`;
  }
  return { id: job.id, everyMs: job.everyMs, endpoint: job.endpoint, url, probe, options: options.data };
}

/** What the probe is pointed at: the endpoint, or for STAMP its reflector. */
function targetOf({ probe, url: text }: AgentJob, reflector: unknown): URL | string {
  if (!URL.canParse(text)) return 'the URL is none';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `the scheme "${url.protocol}" is not http or https`;
  if (url.username !== '' || url.password !== '') return 'the URL holds credentials';
  if (probe !== 'stamp') return reflector === undefined ? url : 'the option "reflector" is for the probe stamp';
  const place = typeof reflector === 'string' ? `http://${reflector}/` : '';
  if (!URL.canParse(place)) return 'the endpoint has no STAMP reflector';
  return new URL(place);
}

function credentialsFor(
  { endpoint, probe }: AgentJob,
  url: URL,
  auth: unknown,
  keyFor: JobRules['keyFor'],
): Record<string, unknown> | string {
  if (auth === undefined) return {};
  if (probe !== 'inference' || typeof auth !== 'object' || auth === null)
    return 'the option "auth" is for the probe inference';
  const { env, file, header } = auth as { env?: unknown; file?: unknown; header?: unknown };
  const place = { ...(typeof env === 'string' && { env }), ...(typeof file === 'string' && { file }) };
  const found = keyFor(url, place, endpoint);
  if ('why' in found) return found.why;
  return { apiKey: found.key, ...(typeof header === 'string' && { authHeader: header }) };
}

/**
 * A probe that a schedule repeats is one measurement each time, where a single run of it would repeat by itself. A path and its
 * MTU are one thing as they are.
 */
function onePerRun({ probe, url }: AgentJob): Record<string, unknown> {
  switch (probe) {
    case 'tcp':
    case 'tls':
    case 'ping':
      return { count: 1 };
    case 'inference':
      return { requests: 1, fresh: true };
    case 'trace':
      return { port: portOf(new URL(url)) };
    case 'dns':
    case 'mtu':
    case 'stamp':
      return {};
  }
}
