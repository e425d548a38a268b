import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { createServer as createPlain, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo } from 'node:net';
import { signCertificate } from '../../wire/x509.ts';

/** What a fixture answers: a status, a body (an object is JSON), and headers. */
interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}
export type Fixture = (request: { method: string; path: string; host: string; body: string }) => Answer;

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  body,
  headers,
});
const words = (status: number, body: string, headers: Record<string, string> = {}): Answer => ({
  status,
  body,
  headers,
});
const page = (title: string): Answer =>
  words(200, `<!doctype html><title>${title}</title>`, { 'content-type': 'text/html' });

type Routes = Record<string, Answer | ((body: string) => Answer)>;

/** Routes by path; another method of a known path is 405, anything else 404, each in the words of the framework. */
function routed(
  routes: Readonly<Record<string, Routes>>,
  {
    notFound = json(404, { detail: 'Not Found' }),
    wrongMethod = json(405, { detail: 'Method Not Allowed' }, { allow: 'POST' }),
  } = {},
): Fixture {
  return ({ method, path, body }) => {
    const methods = routes[path];
    if (!methods) return notFound;
    const answer = methods[method];
    if (!answer) return wrongMethod;
    return typeof answer === 'function' ? answer(body) : answer;
  };
}
const get = (answer: Answer): Routes => ({ GET: answer });
const invalid = (body: string) => json(422, { detail: [{ type: 'missing', loc: ['body'], input: body }] });
const post = (): Routes => ({ POST: invalid });

/** In front of a fixture: what a guard does not let through is refused. */
const guarded =
  (fixture: Fixture, isOpen: (path: string, method: string) => boolean, refusal: Answer): Fixture =>
  (request) =>
    isOpen(request.path, request.method) ? fixture(request) : refusal;

const models = (owner: string) =>
  json(200, { object: 'list', data: [{ id: 'demo-8b', object: 'model', created: 1, owned_by: owner }] });

// Made after the sources named in each engine's file; MLflow 3.17.2, Jupyter server 2.21.1 and KServe 0.21.0 were also run
// and asked, and answered as these do.

export const ollama = routed(
  {
    '/': get(words(200, 'Ollama is running')),
    '/api/version': get(json(200, { version: '0.11.4' })),
    '/api/tags': get(json(200, { models: [{ name: 'llama3:8b', digest: 'sha256:365c0bd3c000' }] })),
    '/api/ps': get(json(200, { models: [] })),
  },
  { notFound: words(404, '404 page not found'), wrongMethod: words(405, '405 method not allowed') },
);
/** Somebody's proxy in front asks for a password, but for the page that monitoring looks at. */
export const ollamaBehindProxy = guarded(
  ollama,
  (path) => path === '/' || path === '/api/version',
  words(401, 'Unauthorized', { 'www-authenticate': 'Basic' }),
);
export const ollamaEmpty = routed({
  '/': get(words(200, 'Ollama is running')),
  '/api/version': get(json(200, { version: '0.11.4' })),
  '/api/tags': get(json(200, { models: [] })),
  '/api/ps': get(json(200, { models: [] })),
});

export const vllm = routed({
  '/health': get(words(200, '')),
  '/version': get(json(200, { version: '0.11.0' })),
  '/metrics': get(
    words(200, '# HELP vllm:num_requests_running x\nvllm:num_requests_running{model_name="demo-8b"} 0.0\n'),
  ),
  '/load': get(json(200, { server_load: 0 })),
  '/is_paused': get(json(200, { is_paused: false })),
  '/v1/models': get(models('vllm')),
  '/v1/chat/completions': post(),
  '/invocations': post(),
  '/score': post(),
  '/tokenize': post(),
  '/pause': post(),
});
const unauthorized = json(401, { error: 'Unauthorized' });
/** --api-key: only /v1, /v2 and /inference are guarded. */
export const vllmKeyed = guarded(vllm, (path) => !/^\/(v1|v2|inference)(\/|$)/.test(path), unauthorized);
/** A proxy that lets only /v1 through, with a key. */
export const vllmAllowList = guarded(vllmKeyed, (path) => path.startsWith('/v1'), json(404, { error: 'not found' }));
export const vllmAllBehindKey = guarded(
  vllm,
  (path) => ['/version', '/metrics', '/health'].includes(path),
  unauthorized,
);
export const vllmDevelopment: Fixture = (request) =>
  request.path === '/collective_rpc' ? json(405, { detail: 'Method Not Allowed' }) : vllmKeyed(request);

const sglangRoutes = routed({
  '/health': get(words(200, '')),
  '/metrics': get(words(200, 'sglang:num_running_reqs{model_name="demo"} 0.0\n')),
  '/get_model_info': get(json(200, { model_path: 'demo-8b', tokenizer_path: 'demo-8b', is_generation: true })),
  '/server_info': get(
    json(200, { model_path: 'demo-8b', tokenizer_path: 'demo-8b', mem_fraction_static: 0.8, version: '0.5.3' }),
  ),
  '/v1/models': get(models('sglang')),
  '/generate': post(),
  '/flush_cache': { GET: words(200, 'Cache flushed.'), POST: words(200, 'Cache flushed.') },
  '/unload_lora_adapter': post(),
});
export const sglang = sglangRoutes;
const isSglangPublic = (path: string) => /^\/(health|ready|metrics)/.test(path);
export const sglangKeyed = guarded(sglangRoutes, isSglangPublic, unauthorized);
/** --admin-api-key alone: a path of administration is known by path and method together. */
export const sglangAdminOnly = guarded(
  sglangRoutes,
  (path, method) => !(path === '/unload_lora_adapter' && method === 'POST') && path !== '/flush_cache',
  unauthorized,
);

export const tgi = routed(
  {
    '/info': get(
      json(200, {
        model_id: 'demo/demo-8b',
        model_sha: null,
        docker_label: 'sha-1234',
        max_concurrent_requests: 128,
        max_total_tokens: 4096,
        router: 'text-generation-router',
        version: '3.3.4',
      }),
    ),
    '/health': get(words(200, '')),
    '/metrics': get(words(200, 'tgi_queue_size 0\n')),
    '/generate': post(),
  },
  { notFound: words(404, ''), wrongMethod: words(405, '') },
);
export const tgiKeyed = guarded(tgi, (path) => ['/info', '/health', '/metrics'].includes(path), words(401, ''));

const tritonMetadata = {
  name: 'triton',
  version: '2.58.0',
  extensions: ['classification', 'sequence', 'model_repository', 'schedule_policy', 'cuda_shared_memory', 'statistics'],
};
export const triton = routed(
  {
    '/v2': get(json(200, tritonMetadata)),
    '/v2/models/stats': get(json(200, { model_stats: [] })),
    '/v2/repository/index': { POST: json(200, [{ name: 'demo', version: '1', state: 'READY' }]) },
  },
  { notFound: json(404, { error: 'Not Found' }), wrongMethod: json(405, { error: 'Method Not Allowed' }) },
);
export const tritonRestricted = guarded(
  triton,
  (path) => !path.startsWith('/v2/repository'),
  json(403, { error: "This API is restricted, expecting header 'admin-key'" }),
);

const isLlamaPublic = (path: string) => ['/', '/health', '/v1/health', '/models', '/v1/models'].includes(path);
const llamaRoutes = routed(
  {
    '/': get(words(415, 'Error: gzip is not supported by this browser')),
    '/health': get(json(200, { status: 'ok' })),
    '/v1/models': get(models('llamacpp')),
    '/props': get(
      json(200, {
        default_generation_settings: { n_ctx: 4096 },
        total_slots: 1,
        chat_template: '{{ messages }}',
        build_info: 'b6500-abc',
      }),
    ),
  },
  { notFound: json(404, { error: { message: 'File Not Found', type: 'not_found_error', code: 404 } }) },
);
const withServer =
  (fixture: Fixture, server: string): Fixture =>
  (request) => {
    const answer = fixture(request);
    return { ...answer, headers: { server, ...answer.headers } };
  };
export const llamaCpp = withServer(llamaRoutes, 'llama.cpp');
export const llamaCppKeyed = withServer(
  guarded(
    llamaRoutes,
    isLlamaPublic,
    json(401, { error: { message: 'Invalid API Key', type: 'authentication_error', code: 401 } }),
  ),
  'llama.cpp',
);

export const ray = routed(
  {
    '/': get(page('Ray Dashboard')),
    '/api/version': get(
      json(200, { version: '4', ray_version: '2.50.0', ray_commit: 'abcdef', session_name: 'session_1' }),
    ),
    '/api/jobs/': get(json(200, [])),
  },
  { notFound: words(404, '404: Not Found') },
);
export const rayToken: Fixture = (request) => {
  if (request.path === '/api/authentication_mode') return json(200, { authentication_mode: 'token' });
  if (request.path === '/') return page('Ray Dashboard');
  return words(401, 'Unauthorized: Missing authentication token');
};

const webuiConfig = (features: object, more: object = {}) =>
  routed({
    '/': get(page('Open WebUI')),
    '/health': get(json(200, { status: true })),
    '/api/config': get(
      json(200, {
        status: true,
        name: 'Open WebUI',
        version: '0.6.30',
        features: { enable_websocket: true, ...features },
        ...more,
      }),
    ),
    '/api/models': get(json(401, { detail: 'Not authenticated' })),
  });
export const openWebui = webuiConfig({ auth: true, enable_signup: false });
export const openWebuiNoLogin = webuiConfig({ auth: false, enable_signup: false });
export const openWebuiSignup = webuiConfig({ auth: true, enable_signup: true });
export const openWebuiFresh = webuiConfig({ auth: true, enable_signup: true }, { onboarding: true });

export const lmStudio: Fixture = (request) => {
  if (request.method !== 'GET')
    return json(200, { error: `Unexpected endpoint or method. (${request.method} ${request.path})` });
  const answers: Record<string, Answer> = {
    '/v1/models': models('organization_owner'),
    '/api/v0/models': json(200, {
      object: 'list',
      data: [{ id: 'demo-8b', type: 'llm', compatibility_type: 'gguf', state: 'loaded' }],
    }),
    '/api/v1/models': json(200, { models: [{ key: 'demo-8b', type: 'llm', loaded_instances: [{ id: 'demo-8b' }] }] }),
  };
  return answers[request.path] ?? json(200, { error: `Unexpected endpoint or method. (GET ${request.path})` });
};
export const lmStudioToken: Fixture = (request) =>
  /^\/(v1|api)\//.test(request.path)
    ? json(401, { error: { message: 'An LM Studio API token is required', code: 'invalid_api_key' } })
    : lmStudio(request);

export const kserve = withServer(
  routed({
    '/': get(json(200, { status: 'alive' })),
    '/v1/models': get(json(200, { models: ['demo'] })),
    '/v2': get(json(200, { name: 'kserve', version: '0.21.0', extensions: ['model_repository_extension'] })),
    '/v2/models': get(json(200, { models: ['demo'] })),
    '/v2/health/live': get(json(200, { live: true })),
  }),
  'uvicorn',
);

const search = '/api/2.0/mlflow/experiments/search?max_results=1';
const mlflowRoutes = routed({
  '/': get(page('MLflow')),
  '/version': get(words(200, '3.17.2', { 'content-type': 'text/html; charset=utf-8' })),
  '/health': get(words(200, 'OK')),
  [search]: get(json(200, { experiments: [{ experiment_id: '0', name: 'Default' }] })),
});
export const mlflow = mlflowRoutes;
const notLoggedIn =
  'You are not authenticated. Please see https://www.mlflow.org/docs/latest/auth/index.html#authenticating-to-mlflow on how to authenticate.';
export const mlflowLogin = guarded(
  mlflowRoutes,
  (path) => path === '/health' || path === '/version',
  words(401, notLoggedIn, { 'www-authenticate': 'Basic realm="mlflow"' }),
);
/** --allowed-hosts: asked by address, the API answers 403 before anything else; /version and /health answer. */
export const mlflowHostCheck: Fixture = (request) =>
  /^mlflow\.corp(:\d+)?$/.test(request.host) || ['/version', '/health'].includes(request.path)
    ? mlflowRoutes(request)
    : words(403, 'Invalid Host header - possible DNS rebinding attack detected');

const tornado = 'TornadoServer/6.6.1';
export const jupyterOpen = withServer(
  routed({
    '/': get(page('Jupyter Server')),
    '/api': get(json(200, { version: '2.21.1' })),
    '/api/status': get(json(200, { started: 'x', kernels: 0, connections: 0 })),
    '/api/kernelspecs': get(json(200, { default: 'python3', kernelspecs: {} })),
  }),
  tornado,
);
export const jupyterToken = withServer(
  guarded(jupyterOpen, (path) => path === '/api', json(403, { message: 'Forbidden', reason: null })),
  tornado,
);

/** Services that are none of the engines, or hide behind something. */
export const somethingElse = routed({ '/': get(page('Welcome')) });
export const answersEverything: Fixture = () => page('A single page app');
/** A login in front of everything; whoever follows the redirect has left the ranges. */
export const redirects =
  (to: string): Fixture =>
  () =>
    words(302, '', { location: to });
export const errors: Fixture = () => words(500, 'Internal Server Error');
/** An honest list of models at an engine that nobody knows. */
export const unknownOpenAi = routed({ '/v1/models': get(models('somebody')) });

export interface Served {
  port: number;
  /** `METHOD path`, in order. */
  heard: string[];
  headers: IncomingMessage['headers'][];
  close(): Promise<void>;
}

/** Serves a fixture on an address of this machine. */
export async function serve(
  fixture: Fixture,
  {
    address = '127.0.0.1',
    port = 0,
    tls,
  }: { address?: string; port?: number; tls?: { cert: string; key: string } } = {},
): Promise<Served> {
  const heard: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const handle: Parameters<typeof createPlain>[1] = (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const { method = '', url = '', headers: had } = request;
      heard.push(`${method} ${url}`);
      headers.push(had);
      const answer = fixture({ method, path: url, host: had.host ?? '', body });
      const isText = typeof answer.body === 'string';
      response.writeHead(answer.status, {
        'content-type': isText ? 'text/plain' : 'application/json',
        ...answer.headers,
      });
      response.end(isText ? answer.body : JSON.stringify(answer.body));
    });
  };
  const server: Server = tls ? createTls(tls, handle) : createPlain(handle);
  await new Promise<void>((done) => server.listen(port, address, done));
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    headers,
    close: () => new Promise((done) => (server.closeAllConnections(), server.close(() => done()))),
  };
}

/** A certificate that nobody trusts, and its key. */
export function selfSigned(): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const profile = {
    subject: 'fixture',
    issuer: 'fixture',
    serial: Buffer.from([1, 2, 3]),
    notBeforeMs: Date.now() - 3_600_000,
    notAfterMs: Date.now() + 86_400_000,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    extensions: [],
  };
  const signed = new X509Certificate(signCertificate(profile, privateKey));
  return { cert: signed.toString(), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
