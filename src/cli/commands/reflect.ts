import * as z from 'zod';
import { distribution, distributionGrammar } from '../../lab/reflect/distribution.ts';
import type { ReflectLine } from '../../lab/reflect/lines.ts';
import { listenAddress, type ReflectorOptions, serverTimes, stallPlan, tokenCount } from '../../lab/reflect/options.ts';
import { launchReflector, type Reflector } from '../../lab/reflect/reflector.ts';
import type { Io } from '../../wire/io.ts';
import type { StampReflector } from '../../lab/reflect/stamp/stamp-reflector.ts';
import { stampFlags, stampSummary, startStamp } from '../reflect-stamp.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';

const shape = 'Shape of an answer';
const security = 'TLS';
const anyDuration = `a number or a distribution (${distributionGrammar.replace('a number of ms, ', '')})`;

const flags = {
  listen: {
    schema: listenAddress.prefault('127.0.0.1:7041'),
    about: 'Address to listen on, port 0 for a free one; default 127.0.0.1:7041.',
    value: 'HOST:PORT',
    short: 'l',
  },
  queueMs: {
    schema: distribution.prefault('0'),
    about: `Time in the queue in ms, ${anyDuration}; default 0.`,
    value: 'D',
    group: shape,
  },
  // The hyphen because a flag name is made from the capitals of its key: --prefill-ms-per-1k-tokens.
  'prefillMsPer-1kTokens': {
    schema: distribution.prefault('0'),
    about: 'Time to read 1000 prompt tokens in ms, number or distribution; default 0.',
    value: 'D',
    group: shape,
  },
  tokenMs: {
    schema: distribution.prefault('20'),
    about: 'Time per generated token in ms, number or distribution; default 20.',
    value: 'D',
    group: shape,
  },
  tokens: {
    schema: tokenCount.default(64),
    about: 'Tokens per answer, fewer when the request asks for fewer; default 64.',
    value: 'N',
    group: shape,
  },
  stall: {
    schema: stallPlan.optional(),
    about: 'Delay each token with probability P by MS (number or distribution), and all behind it; default none.',
    value: 'P:MS',
    group: shape,
  },
  tokensPerEvent: {
    schema: z.coerce.number().int().min(1).max(1000).default(1),
    about: 'Tokens per stream event; default 1.',
    value: 'N',
    group: shape,
  },
  earlyHeaders: {
    schema: z.boolean().default(false),
    about: 'Send headers and preamble once the request is read, not with the first token.',
    group: shape,
  },
  serverTimes: {
    schema: serverTimes.default('none'),
    about: 'Report own times in the last event (body) or as openai-processing-ms (headers); default none.',
    value: 'WHERE',
  },
  truth: {
    schema: z.string().min(1).optional(),
    about: 'File to append one JSON line per request to, with the monotonic time of every write; default none.',
    value: 'FILE',
  },
  seed: {
    schema: z.coerce.number().int().min(0).max(0xffff_ffff).optional(),
    about: 'Makes all draws repeatable; default a different one each run.',
    value: 'S',
  },
  tls: { schema: z.boolean().default(false), about: 'Serve HTTPS: HTTP/2 and HTTP/1.1 by ALPN.', group: security },
  cert: {
    schema: z.string().min(1).optional(),
    about: 'Certificate chain, PEM; implies --tls; default self-signed.',
    value: 'FILE',
    group: security,
  },
  key: {
    schema: z.string().min(1).optional(),
    about: 'Private key of --cert, PEM.',
    value: 'FILE',
    group: security,
  },
  clientCa: {
    schema: z.string().min(1).optional(),
    about: 'Require client certificates signed by this authority, PEM; implies --tls.',
    value: 'FILE',
    group: security,
  },
  responsiveness: {
    schema: z.boolean().default(false),
    about: 'Also serve tests of responsiveness under load (inferpath responsiveness); implies --tls.',
  },
  ...stampFlags,
  duration: {
    schema: z.coerce.number().positive().max(86_400).optional(),
    about: 'End after this many seconds; default when interrupted.',
    value: 'S',
  },
  json: {
    schema: z.boolean().default(false),
    about: 'Print one JSON line when ready (url, address, port, certificate) and one at the end (statistics).',
  },
} as const;

type ReflectFlags = FlagValues<typeof flags>;

/** `inferpath reflect`: a synthetic inference endpoint whose own times are known. */
export const reflect = defineCommand({
  name: 'reflect',
  summary: 'Serve a synthetic inference API whose own times are known.',
  about:
    'Answers OpenAI (chat completions, responses), Anthropic, Ollama and TGI requests with made-up tokens on an exact schedule, so that a path can be judged before a GPU is bought and a measuring tool against the truth. The schedule is absolute: a late write never moves the next one. Runs until interrupted.',
  flags,
  examples: [
    { line: 'inferpath reflect', about: 'listens on 127.0.0.1:7041, 64 tokens at 20 ms.' },
    {
      line: 'inferpath reflect --queue-ms exp:50 --prefill-ms-per-1k-tokens 80 --token-ms normal:20,3 --truth truth.jsonl',
      about: 'behaves like a busy GPU and writes down what it did.',
    },
    {
      line: 'inferpath reflect --stall 0.01:400 --server-times body',
      about: 'stalls one token in a hundred, and admits it.',
    },
    { line: "inferpath reflect --tls --listen '[::]:7443'", about: 'serves HTTPS with HTTP/2 on every address.' },
    {
      line: "inferpath reflect --responsiveness --listen '[::]:7443'",
      about: 'also serves inferpath responsiveness and other clients of its draft.',
    },
    {
      line: "inferpath reflect --stamp-listen '[::]:8620'",
      about: 'also reflects STAMP test packets, for loss and delay variation of each direction.',
    },
  ],
  run: async ({ flags, io }) => {
    // Before the TCP port is open, so that whoever waits for that one finds both.
    const stamp = await startStamp(flags, io);
    let reflector: Reflector | undefined;
    try {
      reflector = await start(flags, io);
      announce(reflector, stamp, flags, io);
      return await untilOver(flags, stamp, io);
    } finally {
      await reflector?.stop();
      await stamp?.stop();
      if (reflector) sumUp(reflector, stamp, flags, io);
    }
  },
});

async function start(flags: ReflectFlags, io: Io): Promise<Reflector> {
  if ((flags.cert === undefined) !== (flags.key === undefined)) {
    const [given, missing] = flags.cert === undefined ? ['--key', '--cert'] : ['--cert', '--key'];
    throw new UsageError(`${missing}: found nothing; allowed: a file, since ${given} is given`);
  }
  const { truth, seed, stall, 'prefillMsPer-1kTokens': prefillMsPer1kTokens, ...shared } = flags;
  try {
    return await launchReflector(
      { ...shared, prefillMsPer1kTokens, stall, seed, truthFile: truth, tls: await readTls(flags, io) },
      io,
    );
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code.startsWith('ERR_OSSL')) throw new UsageError(`--cert, --key, --client-ca: not usable: ${code}`);
    throw error;
  }
}

/** Reads the PEM files; undefined without TLS. */
async function readTls(flags: ReflectFlags, io: Io): Promise<ReflectorOptions['tls']> {
  const { cert, key, clientCa } = flags;
  if (!flags.tls && !flags.responsiveness && cert === undefined && clientCa === undefined) return undefined;
  const read = async (flag: string, path: string | undefined) => {
    if (path === undefined) return undefined;
    try {
      return await io.fs.readText(path);
    } catch (error) {
      throw new UsageError(`${flag}: cannot read "${path}": ${(error as Error).message}`);
    }
  };
  const pem = {
    cert: await read('--cert', cert),
    key: await read('--key', key),
    clientCa: await read('--client-ca', clientCa),
  };
  return Object.fromEntries(Object.entries(pem).filter(([, text]) => text !== undefined));
}

function announce(reflector: Reflector, stamp: StampReflector | null, flags: ReflectFlags, io: Io): void {
  const { url, address, port, certificate } = reflector;
  if (flags.json) {
    const also = stamp ? { stamp: { address: stamp.address, port: stamp.port } } : {};
    return printLine({ event: 'listening', url, address, port, certificate, ...also }, io);
  }
  io.terminal.out(`reflecting on ${url}\n`);
  if (stamp) io.terminal.out(`reflecting STAMP on ${stamp.address} UDP port ${stamp.port}\n`);
}

function printLine(line: ReflectLine, io: Io): void {
  io.terminal.out(`${JSON.stringify(line)}\n`);
}

/** Waits for Ctrl-C (130) or the end of --duration (0). */
async function untilOver(flags: ReflectFlags, stamp: StampReflector | null, io: Io): Promise<ExitCode> {
  // Slept in hours, because one timer holds 24 days at most and a server may run for longer.
  const untilMs = io.clock.monoMs() + (flags.duration ?? Number.POSITIVE_INFINITY) * 1000;
  try {
    for (let leftMs = untilMs - io.clock.monoMs(); leftMs > 0; leftMs = untilMs - io.clock.monoMs()) {
      const slept = io.clock.sleep(Math.min(leftMs, 3_600_000), io.signals.interrupted);
      await Promise.race(stamp ? [slept, stamp.failed] : [slept]);
    }
    return exitCode.ready;
  } catch (error) {
    if (io.signals.interrupted.aborted) return exitCode.interrupted;
    throw error;
  }
}

function sumUp(reflector: Reflector, stamp: StampReflector | null, flags: ReflectFlags, io: Io): void {
  const stats = reflector.stats();
  if (flags.json) return printLine({ event: 'ended', ...stats, ...(stamp && { stamp: stamp.stats() }) }, io);
  const { requests, refused, aborted, tokens, lag } = stats;
  io.terminal.err(
    `${requests} requests (${refused} refused, ${aborted} cut short), ${tokens} tokens; behind schedule p50 ${lag.p50Ms.toFixed(2)} ms, p99 ${lag.p99Ms.toFixed(2)} ms, max ${lag.maxMs.toFixed(2)} ms\n`,
  );
  if (stamp) io.terminal.err(`${stampSummary(stamp.stats())}\n`);
}
