// `node health.mjs server|agent`: exit code 0 when the process beside it is alive. A file of its own, because the command line of
// inferpath takes longer to load than a health check should.
import { readFileSync } from 'node:fs';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { join } from 'node:path';

/** An agent writes its status every 15 s. */
const oldestStatusMs = 60_000;

/** @param {string} why */
function unhealthy(why) {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}

function server() {
  const url = process.env['INFERPATH_HEALTH_URL'] ?? 'https://127.0.0.1:7100/livez';
  const get = url.startsWith('https:') ? getHttps : getHttp;
  // To itself, over loopback, without a secret: whose certificate it is does not matter.
  const asked = get(url, { rejectUnauthorized: false, timeout: 4000 }, ({ statusCode }) => {
    if (statusCode !== 200) unhealthy(`${url} answered ${statusCode}`);
    process.exit(0);
  });
  asked.on('timeout', () => unhealthy(`${url} did not answer within 4 s`));
  asked.on('error', (error) => unhealthy(`${url}: ${error.message}`));
}

function agent() {
  const path = join(process.env['STATE_DIRECTORY'] ?? '.', 'status.json');
  try {
    const { at, state } = JSON.parse(readFileSync(path, 'utf8'));
    const ageMs = Date.now() - Date.parse(at);
    if (state !== 'running' || !(ageMs < oldestStatusMs))
      unhealthy(`${path}: ${state}, ${Math.round(ageMs / 1000)} s ago`);
  } catch (error) {
    unhealthy(String(error));
  }
}

if (process.argv[2] === 'agent') agent();
else server();
