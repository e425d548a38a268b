import { classDefaults } from '../../model/class-defaults.ts';
import type { Figure } from '../../model/figure.ts';
import type { Endpoint, Network, Site, Workload } from '../../model/network.ts';
import type { Job, WorkloadTraffic } from '../../model/network-traffic.ts';
import { greatCircleKm } from '../../stats/globe.ts';
import { assumed, entered, sourced } from '../figures.ts';
import { allDay, type Flow, HOURS } from './flow.ts';
import { utcOffsetHours, weightsByHourUtc } from './hours.ts';
import type { JobWork } from './jobs.ts';
import { apis, type ApiRow } from './library/apis.ts';
import { kinds, workingHours } from './library/kinds.ts';
import { models } from './library/models.ts';
import type { MeasuredSizes } from './measured.ts';
import type { RequestWork } from './requests.ts';

/** What the network file says about traffic, and what of it could not be used and why. */
export interface DemandInput {
  requests: RequestWork[];
  jobs: JobWork[];
  demands: Flow[];
  notes: string[];
}

type Measured = ReadonlyMap<string, MeasuredSizes>;

/** Reads workloads with `traffic`, `jobs` and `demands` of a network file. */
export function demandInput(network: Network, measured: Measured = new Map()): DemandInput {
  const notes: string[] = [];
  const requests = network.workloads.flatMap((w) =>
    w.traffic ? workloadRequests(network, w, w.traffic, measured, notes) : [],
  );
  const unshaped = network.workloads.flatMap(({ name, traffic }) => (traffic && !traffic.byHour ? [name] : []));
  if (unshaped.length > 0)
    notes.push(`working hours of each site are assumed for ${unshaped.join(', ')}; traffic.byHour says it better`);
  const jobs = network.jobs.flatMap((job) => jobWork(network, job, notes));
  return { requests, jobs, demands: network.demands.flatMap(demandFlows), notes };
}

function workloadRequests(
  network: Network,
  workload: Workload,
  traffic: WorkloadTraffic,
  measured: Measured,
  notes: string[],
): RequestWork[] {
  const at = `workloads.${workload.name}`;
  const users = userSites(network, traffic);
  const serving = servingSites(network, workload, traffic);
  if (users.length === 0) notes.push(`${at}: no site with users; nothing of it is in the numbers`);
  if (serving.length === 0)
    notes.push(`${at}: no site serves it (traffic.to, or an endpoint with a site); nothing of it is in the numbers`);
  if (users.length === 0 || serving.length === 0) return [];
  const loads = loadBySite(users, traffic, at, notes);
  if (!loads) return [];
  const seen = serving.flatMap(({ endpoint }) => (endpoint && measured.get(endpoint.name)) ?? [])[0] ?? {};
  const sizes = sizesOf(network, workload, traffic, serving[0]!.endpoint, seen, notes);
  return users.map((site, i) => {
    const [byHour, busiest] = loads[i]!;
    return {
      source: workload.name,
      class: workload.class,
      from: site.name,
      to: nearest(site, serving).site.name,
      requestsPerSByHour: byHour,
      busyRequestsPerS: busiest,
      ...sizes,
    };
  });
}

function userSites({ sites }: Network, { from, requestsPerS }: WorkloadTraffic): Site[] {
  if (from) return sites.filter(({ name }) => from.includes(name));
  const withUsers = sites.filter(({ users = 0 }) => users > 0);
  return withUsers.length > 0 || requestsPerS === undefined ? withUsers : sites.filter(({ role }) => role === 'user');
}

interface Serving {
  site: Site;
  endpoint: Endpoint | undefined;
}

/** Sites that serve a workload, in the order of `to`, which names sites or endpoints. */
function servingSites({ sites, endpoints }: Network, workload: Workload, { to }: WorkloadTraffic): Serving[] {
  const named = to ?? endpoints.filter((e) => e.workload === workload.name).map(({ name }) => name);
  return named.flatMap((name): Serving[] => {
    const endpoint = endpoints.find((e) => e.name === name);
    const site = sites.find((s) => s.name === (endpoint ? endpoint.site : name));
    return site ? [{ site, endpoint }] : [];
  });
}

/** The nearest by great circle; the first where no positions tell. */
function nearest({ name, location }: Site, serving: readonly Serving[]): Serving {
  const own = serving.find(({ site }) => site.name === name);
  if (own) return own;
  if (!location) return serving[0]!;
  const far = ({ site }: Serving) => (site.location ? greatCircleKm(location, site.location) : Infinity);
  return serving.reduce((best, one) => (far(one) < far(best) ? one : best));
}

type SiteLoad = [byHourUtc: number[], busiest: Figure];

/** Requests a second of every site by hour; null when the file does not say how many there are. */
function loadBySite(users: readonly Site[], traffic: WorkloadTraffic, at: string, notes: string[]): SiteLoad[] | null {
  const { byHour = workingHours, requestsPerS, requestsPerUserHour } = traffic;
  const weights = users.map((site) => weightsByHourUtc(byHour, utcOffsetHours(site)));
  const heads = users.map(({ users: n = 0 }) => n);
  const all = heads.reduce((sum, n) => sum + n, 0);
  if (requestsPerS !== undefined) {
    // All together reach requestsPerS in the hour in which they are busiest together.
    const shares = heads.map((n) => (all > 0 ? n / all : 1 / users.length));
    const together = Array.from({ length: HOURS }, (_, h) =>
      shares.reduce((sum, s, i) => sum + s * weights[i]![h]!, 0),
    );
    const most = Math.max(...together) || 1;
    return shares.map((share, i) =>
      siteLoad(
        weights[i]!.map((w) => (requestsPerS * share * w) / most),
        `${at}.traffic.requestsPerS`,
      ),
    );
  }
  if (requestsPerUserHour === undefined) {
    notes.push(`${at}: neither requestsPerS nor requestsPerUserHour; nothing of it is in the numbers`);
    return null;
  }
  return weights.map((w, i) =>
    siteLoad(
      w.map((x) => (heads[i]! * requestsPerUserHour * x) / 3600),
      `${at}.traffic.requestsPerUserHour × users of the site`,
    ),
  );
}

function siteLoad(byHour: number[], key: string): SiteLoad {
  return [byHour, entered('requests', Math.max(...byHour), '1/s', `${key}, in the busiest hour of the site`)];
}

type Sizes = Omit<RequestWork, 'source' | 'class' | 'from' | 'to' | 'requestsPerSByHour' | 'busyRequestsPerS'>;

function sizesOf(
  network: Network,
  workload: Workload,
  traffic: WorkloadTraffic,
  endpoint: Endpoint | undefined,
  seen: MeasuredSizes,
  notes: string[],
): Sizes {
  const at = `workloads.${workload.name}`;
  const kind = kinds[traffic.kind];
  const ofApi = apiFigures(apiOf(traffic, endpoint, at, notes));
  const given = (name: string, value: number | undefined, unit: string, key: string, other: Figure): Figure =>
    value === undefined ? other : entered(name, value, unit, `${at}.${key}`);
  const prompt = given('prompt', workload.promptTokens, 'tokens', 'promptTokens', kind.promptTokens);
  const answer = given('answer', workload.maxTokens, 'tokens', 'maxTokens', kind.outputTokens);
  const calls = given('calls per request', traffic.callsPerRequest, '', 'traffic.callsPerRequest', kind.calls);
  return {
    calls,
    promptTokens: given('prompt', traffic.promptTokens, 'tokens', 'traffic.promptTokens', prompt),
    growthTokens:
      traffic.growthTokensPerCall === undefined
        ? undefined
        : entered('growth per call', traffic.growthTokensPerCall, 'tokens', `${at}.traffic.growthTokensPerCall`),
    retrievedTokens: given(
      'retrieved tokens',
      traffic.retrievedTokens,
      'tokens',
      'traffic.retrievedTokens',
      kind.retrievedTokens,
    ),
    outputTokens: given('answer', traffic.outputTokens, 'tokens', 'traffic.outputTokens', answer),
    tokensPerS: given(
      'tokens per second',
      traffic.tokensPerS,
      '1/s',
      'traffic.tokensPerS',
      seen.tokensPerS ?? defaultTokensPerS,
    ),
    mediaBytes: given('media', traffic.mediaBytes, 'B', 'traffic.mediaBytes', kind.mediaBytes),
    eventBytes: given('event', traffic.eventBytes, 'B', 'traffic.eventBytes', seen.eventBytes ?? ofApi.eventBytes),
    tokensPerEvent: given(
      'tokens per event',
      traffic.tokensPerEvent,
      '',
      'traffic.tokensPerEvent',
      seen.tokensPerEvent ?? ofApi.tokensPerEvent,
    ),
    bytesPerPromptToken: given(
      'bytes per token',
      traffic.bytesPerPromptToken,
      'B',
      'traffic.bytesPerPromptToken',
      seen.bytesPerPromptToken ?? ofApi.bytesPerPromptToken,
    ),
    streamed: traffic.kind !== 'scoring' && classDefaults[workload.class].maxTokens > 0,
    retrieveFrom: traffic.retrieveFrom,
    kv: kvOf(network, traffic, at, notes),
  };
}

function apiFigures({ name, eventBytes, tokensPerEvent, bytesPerPromptToken, source }: ApiRow) {
  return {
    eventBytes: sourced('event', eventBytes, 'B', `${name}: ${source}`),
    tokensPerEvent: sourced('tokens per event', tokensPerEvent, '', `${name}: ${source}`),
    bytesPerPromptToken: sourced(
      'bytes per token',
      bytesPerPromptToken,
      'B',
      'recorded requests: 1.8 to 5.2 B, upper end',
    ),
  };
}

const defaultTokensPerS = assumed(
  'tokens per second',
  50,
  '1/s',
  'lower end of 50 to 150 of hosted models: streams that last longer',
);

/** API named, else the dialect of the endpoint, else the most common. */
function apiOf(traffic: WorkloadTraffic, endpoint: Endpoint | undefined, at: string, notes: string[]): ApiRow {
  const row = (name: string | undefined) => apis.find((a) => a.name === name);
  if (traffic.api !== undefined && !row(traffic.api))
    notes.push(
      `${at}: traffic.api "${traffic.api}" is none of ${apis.map(({ name }) => name).join(', ')}; taken as openai-chat`,
    );
  return row(traffic.api) ?? row(endpoint?.dialect) ?? apis[0]!;
}

function kvOf(network: Network, traffic: WorkloadTraffic, at: string, notes: string[]): RequestWork['kv'] {
  const { kvTransfer } = traffic;
  if (!kvTransfer) return undefined;
  const bytesPerToken = modelFigures(network, traffic.model).kvBytesPerToken;
  if (!bytesPerToken) {
    notes.push(
      `${at}: kvTransfer needs traffic.model, of the library or of models with kvBytesPerToken; it is not in the numbers`,
    );
    return undefined;
  }
  const { to, deadlineMs, cachedShare } = kvTransfer;
  return {
    to,
    deadlineMs: entered('deadline', deadlineMs, 'ms', `${at}.traffic.kvTransfer.deadlineMs`),
    cachedShare:
      cachedShare === undefined
        ? assumed('share cached there', 0, '', 'nothing: the cautious case')
        : entered('share cached there', cachedShare, '', `${at}.traffic.kvTransfer.cachedShare`),
    bytesPerToken,
  };
}

/** Sizes of a model: what the file says, key by key, before what the library has. */
export function modelFigures(
  { models: own }: Pick<Network, 'models'>,
  name: string | undefined,
): { kvBytesPerToken?: Figure; weightsBytes?: Figure; parameters?: Figure } {
  const mine = own.find((m) => m.name === name);
  const row = models.find((m) => m.name === name);
  const kv = mine?.kvBytesPerToken ?? row?.kvBytesPerToken;
  const billions = mine?.parametersBillion ?? row?.parametersBillion;
  const each = mine?.bytesPerParameter ?? 2;
  const from = (key: 'kvBytesPerToken' | 'parametersBillion', label: string, value: number, unit: string) =>
    mine?.[key] === undefined
      ? sourced(label, value, unit, `${name}: ${row!.source}`)
      : entered(label, value, unit, `models.${name}.${key}`);
  const weights = 'parameters × bytes per parameter';
  return {
    ...(kv === undefined ? {} : { kvBytesPerToken: from('kvBytesPerToken', 'KV bytes per token', kv, 'B') }),
    ...(billions === undefined
      ? {}
      : {
          parameters: from('parametersBillion', 'parameters', billions * 1e9, ''),
          weightsBytes: {
            name: 'weights',
            value: billions * 1e9 * each,
            unit: 'B',
            origin: 'computed',
            how: `${weights} (${each} B)`,
          },
        }),
  };
}

/** 16-bit weights, and 12 B of optimiser and master weights (mixed precision, Adam); gradients are not saved. */
const SAVED_BYTES_PER_PARAMETER = 14;

function jobWork(network: Network, job: Job, notes: string[]): JobWork[] {
  const at = `jobs.${job.name}`;
  const bytes = jobBytes(network, job, at);
  if (!bytes) {
    notes.push(`${at}: neither bytes nor a model whose size is known; it is not in the numbers`);
    return [];
  }
  return [
    {
      source: job.name,
      kind: job.kind,
      sites: job.sites,
      bytes,
      everyS: entered(job.everySteps ? 'time of a step' : 'time between two', job.everyS, 's', `${at}.everyS`),
      everySteps:
        job.everySteps === undefined
          ? assumed('steps', 1, '', 'each time')
          : entered('steps', job.everySteps, '', `${at}.everySteps`),
      withinS: job.withinS === undefined ? undefined : entered('time it may take', job.withinS, 's', `${at}.withinS`),
    },
  ];
}

function jobBytes(network: Network, job: Job, at: string): Figure | undefined {
  if (job.bytes !== undefined) return entered('bytes', job.bytes, 'B', `${at}.bytes`);
  const { parameters, weightsBytes } = modelFigures(network, job.model);
  if (job.kind !== 'checkpoint' || !parameters) return weightsBytes;
  const value = parameters.value * SAVED_BYTES_PER_PARAMETER;
  const how = `parameters × ${SAVED_BYTES_PER_PARAMETER} B: 16-bit weights, Adam moments and master weights (published: 782 GB of a 70B, 11 B each)`;
  return { name: 'saved state', value, unit: 'B', origin: 'computed', how };
}

/** A number of the user's own: it is there in the busiest hour and, for want of more, in every other. */
function demandFlows({ name, from, to, gbps, backGbps = gbps }: Network['demands'][number]): Flow[] {
  const one = (a: string, b: string, rate: number, key: string): Flow => ({
    source: name,
    part: 'demand',
    class: null,
    from: a,
    to: b,
    scope: 'east-west',
    law: 'steady',
    deadlineMs: null,
    bitsPerS: rate * 1e9,
    packetsPerS: (rate * 1e9) / 8 / assumedPacketBytes,
    busyByHourUtc: allDay(1),
    figures: [entered('rate', rate, 'Gbit/s', `demands.${name}.${key}`)],
  });
  return [one(from, to, gbps, 'gbps'), one(to, from, backGbps, 'backGbps')].filter((f) => f.bitsPerS > 0);
}

/** A packet on the wire where only a rate is known: between small and full ones, as on backbones. */
const assumedPacketBytes = 800;
