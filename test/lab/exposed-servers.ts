import * as fixtures from '../../src/measure/exposure/fixtures.case.ts';

// Inference servers that are open or not, on all addresses of a lab host: `tsx exposed-servers.ts ADDRESS`. One of them points to
// ADDRESS, which nobody may be led to. The last port listens when all do.
const elsewhere = process.argv[2] ?? '';
const served = [
  [11434, fixtures.ollama],
  [8000, fixtures.vllmKeyed],
  [30000, fixtures.sglangAdminOnly],
  [8080, fixtures.llamaCppKeyed],
  [5000, fixtures.mlflowHostCheck],
  [8888, fixtures.redirects(`http://${elsewhere}:11434/`)],
  [7041, fixtures.somethingElse],
] as const;
for (const [port, fixture] of served) await fixtures.serve(fixture, { address: '::', port });
