// A real agent whose every time is divided by FACTOR: batches, health, polls and back-off; the schedule comes from the server, divided there. For
// bench/loss/outage.ts.
import { createIo } from '../../src/cli/io.ts';
import { agentPace } from '../../src/serve/agent/agent.ts';
import { readIdentity } from '../../src/serve/agent/identity.ts';
import { runRemoteAgent } from '../../src/serve/agent/remote-agent.ts';
import { senderOptions } from '../../src/serve/agent/sender.ts';
import { spoolLimits } from '../../src/serve/agent/spool.ts';
import { targetPolicy } from '../../src/serve/agent/target-policy.ts';
import { durableFiles } from '../../src/wire/durable-files.ts';

const [directory = '', factorText = '1', spoolKib = String(spoolLimits.maxBytes >> 10)] = process.argv.slice(2);
const factor = Number(factorText);
const { io, finish } = createIo(process);
const identity = await readIdentity(durableFiles, directory);
if (!identity) throw new Error(`${directory} holds no identity`);
const last = await runRemoteAgent(
  identity,
  {
    version: 'bench',
    io,
    files: durableFiles,
    directory,
    rules: { policy: targetPolicy(['127.0.0.0/8']), keyFor: () => ({ why: 'none' }) },
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    pace: {
      ...agentPace,
      batchEveryMs: agentPace.batchEveryMs / factor,
      healthEveryMs: agentPace.healthEveryMs / factor,
      pollEveryMs: agentPace.pollEveryMs / factor,
    },
    limits: { ...spoolLimits, maxBytes: Number(spoolKib) << 10 },
    sender: {
      ...senderOptions,
      firstBackOffMs: senderOptions.firstBackOffMs / factor,
      maxBackOffMs: senderOptions.maxBackOffMs / factor,
    },
  },
  io.signals.interrupted,
);
io.terminal.out(`${JSON.stringify(last.health)}\n`);
finish(0);
