import { once } from 'node:events';
import { palette } from '../../report/ansi.ts';
import type { ServeLine } from '../../model/serve-line.ts';
import * as z from 'zod';
import { defineCommand, exitCode, UsageError } from '../command.ts';
import { measureHere } from '../local-agent.ts';
import { openServer, serveFlags } from '../serve-run.ts';
import { demoFile, startDemoEndpoints } from '../up-demo.ts';

export const up = defineCommand({
  name: 'up',
  summary: 'Server, one agent and store in one process: a live status page of a laptop or a small site',
  about:
    'Measures the endpoints of a network file again and again from this machine, keeps the results, judges them by the rules of assess, ' +
    'and serves a live status page. It prints a link that opens the page in a browser, once and within 15 minutes; other users of ' +
    'this machine, who can reach loopback too, have no way in.',
  positionals: { name: 'network.yaml', about: 'the network file; default network.yaml', min: 0, max: 1 },
  flags: {
    ...serveFlags,
    demo: {
      schema: z.boolean().default(false),
      about:
        'Start three endpoints on this machine (examples/up.yaml, ports 7051 to 7053) and watch them: needs nothing else.',
    },
  },
  examples: [
    { line: 'inferpath up --demo', about: 'a live page with three endpoints of its own: nothing else is needed' },
    { line: 'inferpath up network.yaml', about: 'a status page on 127.0.0.1:7100' },
    {
      line: 'inferpath up network.yaml --listen 127.0.0.1:0 --data /tmp/watch',
      about: 'on a free port, with the data elsewhere',
    },
    { line: 'inferpath up network.yaml --agents 0.0.0.0:7101', about: 'further agents may join from other places' },
    { line: 'inferpath admin login', about: 'another link to the page' },
  ],
  run: async ({ flags, positionals: [given], io }) => {
    if (flags.demo && given !== undefined)
      throw new UsageError(`<network.yaml>: found "${given}" beside --demo; allowed: one of them`);
    const path = given ?? (flags.demo ? demoFile : 'network.yaml');
    const demo = flags.demo ? await startDemoEndpoints(io) : null;
    const server = await openServer(flags, path, io).catch(async (error: unknown) => {
      await demo?.stop();
      throw error;
    });
    const { sessions, agentsUrl, configuration } = server.context;
    const secret = await sessions.link({ name: 'local user', role: 'admin' }, { actor: 'inferpath up', address: null });
    const login = `${server.web.url}/login#${secret}`;
    const line: ServeLine = { event: 'listening', url: server.web.url, agents: agentsUrl, data: server.folder, login };
    if (flags.json) io.terminal.out(`${JSON.stringify(line)}\n`);
    else {
      const paint = palette(io.terminal.colors);
      const rows = [
        ['status page', paint.bold(login)],
        ['', 'opens once, within 15 minutes; inferpath admin login makes another link'],
        ['endpoints', String(configuration.network.endpoints.length)],
        ...(agentsUrl === null ? [] : [['agents', `${agentsUrl}  (inferpath agents invite NAME)`]]),
        ['data', server.folder],
      ];
      io.terminal.out(`${rows.map(([label = '', text = '']) => `${label.padEnd(13)}${text}`).join('\n')}\n`);
    }
    const { interrupted } = io.signals;
    try {
      const place = { folder: server.folder, networkPath: path };
      const measuring = measureHere(server.context, place, io, interrupted);
      if (!interrupted.aborted) await Promise.race([once(interrupted, 'abort'), measuring]);
      // Before the store closes: what was measured last is to get there.
      await measuring;
    } finally {
      await server.close();
      await demo?.stop();
    }
    return exitCode.ready;
  },
});
