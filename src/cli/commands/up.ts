import { once } from 'node:events';
import { resolve } from 'node:path';
import { palette } from '../../report/ansi.ts';
import type { ServeLine } from '../../model/serve-line.ts';
import * as z from 'zod';
import type { Io } from '../../wire/io.ts';
import { defineCommand, exitCode, UsageError } from '../command.ts';
import { demoFile } from '../demo-file.ts';
import { type EmulatedAgent, startEmulatedAgent } from '../emulated/watch.ts';
import { emulatedOf } from '../emulated/world.ts';
import { localName, localServer, measureHere } from '../local-agent.ts';
import { loadNetworkFile } from '../network-file.ts';
import { openServer, serveFlags } from '../serve-run.ts';

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
        'Watch the three emulated endpoints of examples/quickstart.yaml, which this command makes: needs nothing else.',
    },
  },
  examples: [
    {
      line: 'inferpath up examples/quickstart.yaml',
      about: 'a live page with three endpoints of its own: nothing else is needed; so does --demo',
    },
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
    const network = await loadNetworkFile(path, io);
    const folder = resolve(io.cwd, flags.data);
    const emulated = emulatedOf(network);
    const name = localName(network);
    // Side by side: each takes about a second.
    const starting = emulated.length === 0 ? null : startEmulatedAgent(emulated, { name, folder, path }, io);
    const [opened, started] = await Promise.allSettled([openServer(flags, path, io), starting]);
    const agent = started.status === 'fulfilled' ? started.value : null;
    if (opened.status === 'rejected' || started.status === 'rejected') {
      await agent?.stop();
      if (opened.status === 'fulfilled') await opened.value.close();
      throw opened.status === 'rejected' ? opened.reason : (started as PromiseRejectedResult).reason;
    }
    const server = opened.value;
    try {
      await sayWhere(server, agent, flags.json, io);
      const { interrupted } = io.signals;
      const place = { folder, networkPath: path };
      const measuring = agent
        ? agent.measure(localServer(server.context, name), interrupted)
        : measureHere(server.context, place, io, interrupted);
      if (!interrupted.aborted) await Promise.race([once(interrupted, 'abort'), measuring]);
      // Before the store closes: what was measured last is to get there.
      await measuring;
    } finally {
      await agent?.stop();
      await server.close();
    }
    return exitCode.ready;
  },
});

/** Prints where the page is, with a link that opens it. */
async function sayWhere(
  { context, web, folder }: Awaited<ReturnType<typeof openServer>>,
  agent: EmulatedAgent | null,
  asJson: boolean,
  io: Io,
): Promise<void> {
  const { sessions, agentsUrl, configuration } = context;
  const secret = await sessions.link({ name: 'local user', role: 'admin' }, { actor: 'inferpath up', address: null });
  const login = `${web.url}/login#${secret}`;
  const line: ServeLine = { event: 'listening', url: web.url, agents: agentsUrl, data: folder, login };
  if (asJson) return io.terminal.out(`${JSON.stringify(line)}\n`);
  const paint = palette(io.terminal.colors);
  const rows = [
    ['status page', paint.bold(login)],
    ['', 'opens once, within 15 minutes; inferpath admin login makes another link'],
    ['endpoints', `${configuration.network.endpoints.length}${agent ? ` ${agent.about}` : ''}`],
    ...(agentsUrl === null ? [] : [['agents', `${agentsUrl}  (inferpath agents invite NAME)`]]),
    ['data', folder],
  ];
  io.terminal.out(`${rows.map(([label = '', text = '']) => `${label.padEnd(13)}${text}`).join('\n')}\n`);
}
