import * as z from 'zod';
import { nameFromUrl } from '../../model/from-urls.ts';
import { workloadClass } from '../../model/workload.ts';
import type { Io } from '../../wire/io.ts';
import { defineCommand, exitCode, UsageError } from '../command.ts';
import { askStarter } from '../init-questions.ts';
import { parseNetwork } from '../network-file.ts';
import { siteText, siteWords } from '../site-flag.ts';
import { type StarterAnswers, starterYaml } from '../starter.ts';

const flags = {
  url: {
    schema: z.array(z.string()).default([]),
    about: 'Address of an inference API; several times for several endpoints.',
    value: 'URL',
    repeated: true,
  },
  class: {
    schema: workloadClass.default('chat'),
    about: 'Workload class of the endpoints; default chat.',
    value: 'CLASS',
  },
  name: {
    schema: z.array(z.string()).default([]),
    about: 'Name of an endpoint, in the order of the URLs; default from the host.',
    value: 'NAME',
    repeated: true,
  },
  model: { schema: z.string().optional(), about: 'Model to ask for; default none.', value: 'MODEL' },
  authEnv: {
    schema: z.string().optional(),
    about: 'Environment variable that holds the API key; default none.',
    value: 'NAME',
  },
  site: {
    schema: z.array(siteText).default([]),
    about: `A place, as ${siteWords}; several times for several places.`,
    value: 'SITE',
    repeated: true,
  },
  vantage: {
    schema: z.string().default('here'),
    about: 'Name of the place that inferpath runs at; default here.',
    value: 'NAME',
  },
  output: {
    schema: z.string().default('network.yaml'),
    about: 'File to write; default network.yaml.',
    value: 'FILE',
    short: 'o',
  },
  force: { schema: z.boolean().default(false), about: 'Overwrite the file when it exists.' },
  yes: { schema: z.boolean().default(false), about: 'Ask nothing; take flags and defaults.', short: 'y' },
  json: { schema: z.boolean().default(false), about: 'Print one JSON document {path, network} instead of words.' },
} as const;

/** `inferpath init`: writes a commented network file from flags or from the answers to a few questions. */
export const init = defineCommand({
  name: 'init',
  summary: 'Write a network file to start from.',
  about:
    'Writes a commented network file. On a terminal it asks a few questions first; with --yes, or when stdin is no terminal, it takes the flags and defaults. An existing file stays as it is unless --force is given.',
  flags,
  examples: [
    { line: 'inferpath init', about: 'asks, then writes network.yaml.' },
    {
      line: 'inferpath init --yes --url https://llm.example.com/v1 --class voice --auth-env LLM_KEY',
      about: 'asks nothing.',
    },
    {
      line: 'inferpath init --url http://10.0.0.5:8000 --site frankfurt:50.11,8.68:dc --output fra.yaml',
      about: 'with a place; writes fra.yaml.',
    },
  ],
  run: async ({ flags: given, io }) => {
    if (!given.force && (await io.fs.exists(given.output)))
      throw new UsageError(`${given.output}: the file exists`, '--force overwrites it, --output writes another one');
    const asks = io.terminal.stdinIsTty && !given.yes;
    const answers = asks ? await askStarter(io, fromFlags(given)) : fromFlags(given);
    if (answers === null) return exitCode.interrupted;
    return write(answers, given.output, given.json, io);
  },
});

type Given = { [K in keyof typeof flags]: z.output<(typeof flags)[K]['schema']> };

function fromFlags(given: Given): StarterAnswers {
  const taken = new Set<string>();
  const urls = given.url.length > 0 ? given.url : ['http://127.0.0.1:7041/v1/chat/completions'];
  const site = given.site.find((s) => s.role !== 'user')?.name;
  return {
    vantage: given.vantage,
    sites: given.site,
    endpoints: urls.map((url, i) => ({
      name: given.name[i] ?? nameFromUrl(url, taken),
      url,
      workload: given.class,
      ...(given.model === undefined ? {} : { model: given.model }),
      ...(given.authEnv === undefined ? {} : { authEnv: given.authEnv }),
      ...(site === undefined ? {} : { site }),
    })),
  };
}

async function write(answers: StarterAnswers, path: string, json: boolean, io: Io) {
  const text = starterYaml(answers);
  const result = parseNetwork(text);
  // The flags became a file that does not pass: what was typed is wrong, and the same words say why.
  if ('mistakes' in result) throw new UsageError(result.mistakes.map((m) => m.message).join('\n'));
  await io.fs.writeText(path, text);
  if (json) io.terminal.out(`${JSON.stringify({ path, network: result.network }, null, 2)}\n`);
  else {
    io.terminal.out(`Wrote ${path} with ${countWords(result.network.endpoints.length)}.\n`);
    io.terminal.out(`Next: inferpath assess ${path}\n`);
  }
  return exitCode.ready;
}

const countWords = (n: number): string => (n === 1 ? '1 endpoint' : `${n} endpoints`);
