import { once } from 'node:events';
import type { ServeLine } from '../../model/serve-line.ts';
import { defineCommand, exitCode, UsageError } from '../command.ts';
import { emulatedOf } from '../emulated/world.ts';
import { loadNetworkFile } from '../network-file.ts';
import { openServer, serveFlags } from '../serve-run.ts';

export const serve = defineCommand({
  name: 'serve',
  summary: 'The server of continuous operation: takes what agents measure, judges it, serves API and status page',
  about:
    'Keeps samples in an embedded store, judges the last hour by the rules of assess, and serves a status page, an HTTP API ' +
    '(/api/openapi.json) and live events. Agents connect by mutual TLS with an authority of its own. It listens on loopback unless told ' +
    'otherwise; every route wants a token or a session. SIGHUP reads the network file again.',
  positionals: { name: 'network.yaml', about: 'the network file; default network.yaml', min: 0, max: 1 },
  flags: serveFlags,
  examples: [
    {
      line: 'inferpath serve network.yaml --data /var/lib/inferpath',
      about: 'on loopback, behind a proxy on the same machine',
    },
    {
      line: 'inferpath serve network.yaml --agents 0.0.0.0:7101 --name watch.example.com',
      about: 'agents can connect',
    },
    {
      line: 'inferpath serve network.yaml --listen 0.0.0.0:7100 --tls --name watch.example.com',
      about: 'HTTPS for browsers',
    },
    { line: 'inferpath admin login', about: 'a link that opens the status page' },
  ],
  run: async ({ flags, positionals: [path = 'network.yaml'], io }) => {
    const [emulated] = emulatedOf(await loadNetworkFile(path, io));
    if (emulated !== undefined)
      throw new UsageError(
        `${path}: endpoint ${emulated.name} is emulated, and no agent can reach it; allowed: endpoints that exist`,
        `inferpath up ${path} makes emulated endpoints`,
      );
    const server = await openServer(flags, path, io);
    const line: ServeLine = {
      event: 'listening',
      url: server.web.url,
      agents: server.context.agentsUrl,
      data: server.folder,
      login: null,
    };
    if (flags.json) io.terminal.out(`${JSON.stringify(line)}\n`);
    else io.terminal.out(`listening on ${line.url}${line.agents === null ? '' : `, for agents on ${line.agents}`}\n`);
    if (!io.signals.interrupted.aborted) await once(io.signals.interrupted, 'abort');
    await server.close();
    return exitCode.ready;
  },
});
