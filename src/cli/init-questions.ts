import { nameFromUrl } from '../model/from-urls.ts';
import { type WorkloadClass, workloadClass } from '../model/workload.ts';
import type { Io } from '../wire/io.ts';
import { foundWords } from './allowed.ts';
import { parseNetwork } from './network-file.ts';
import { parseSite, siteWords } from './site-flag.ts';
import { type StarterAnswers, starterYaml } from './starter.ts';

/**
 * Asks for what the flags left open; an empty answer takes the default that stands in brackets.
 * @returns null when the input ended before the first endpoint was known
 */
export async function askStarter(io: Io, defaults: StarterAnswers): Promise<StarterAnswers | null> {
  io.terminal.err('A few questions; Enter takes what stands in brackets.\n');
  const vantage = await ask(io, 'Name of this place', defaults.vantage, (text) => nameMistake(text));
  if (vantage === null) return null;
  const endpoints: StarterAnswers['endpoints'] = [];
  const taken = new Set<string>();
  for (;;) {
    const endpoint = await askEndpoint(io, defaults.endpoints[endpoints.length], endpoints.length, taken);
    if (endpoint === null) return null;
    if (endpoint === undefined) break;
    endpoints.push(endpoint);
  }
  const sites = await askSites(io, defaults.sites);
  return sites && { vantage, endpoints, sites };
}

type Endpoint = StarterAnswers['endpoints'][number];

async function askEndpoint(io: Io, preset: Endpoint | undefined, index: number, taken: Set<string>) {
  const isFirst = index === 0;
  const what = isFirst ? 'Address of the inference API' : 'Another address (Enter: no more)';
  const url = await ask(io, what, preset?.url ?? '', (text) =>
    text === '' && !isFirst ? undefined : urlMistake(text),
  );
  if (url === null) return null;
  if (url === '') return undefined;
  const name = await ask(
    io,
    '  its name',
    preset?.url === url ? preset.name : nameFromUrl(url, new Set(taken)),
    (text) => (taken.has(text) ? 'another endpoint has that name' : nameMistake(text)),
  );
  const ofClass = await askClass(io, preset?.workload ?? 'chat');
  const authEnv = await ask(
    io,
    '  environment variable with its API key (Enter: none)',
    preset?.authEnv ?? '',
    envMistake,
  );
  if (name === null || ofClass === null || authEnv === null) return null;
  taken.add(name);
  return { name, url, workload: ofClass, ...presetRest(preset), ...(authEnv === '' ? {} : { authEnv }) };
}

function presetRest(preset: Endpoint | undefined): Pick<Endpoint, 'model' | 'site'> {
  return {
    ...(preset?.model === undefined ? {} : { model: preset.model }),
    ...(preset?.site === undefined ? {} : { site: preset.site }),
  };
}

async function askClass(io: Io, preset: WorkloadClass): Promise<WorkloadClass | null> {
  const options = workloadClass.options.join(', ');
  const answer = await ask(io, `  its workload (${options})`, preset, (text) =>
    workloadClass.safeParse(text).success ? undefined : `allowed: ${options}`,
  );
  return answer === null ? null : workloadClass.parse(answer);
}

async function askSites(io: Io, preset: StarterAnswers['sites']): Promise<StarterAnswers['sites'] | null> {
  const sites = [...preset];
  for (;;) {
    const answer = await ask(
      io,
      `A place, as ${siteWords} (Enter: ${sites.length === 0 ? 'none' : 'no more'})`,
      '',
      (text) => (text === '' ? undefined : siteMistake(text, sites)),
    );
    if (answer === null) return null;
    if (answer === '') return sites;
    sites.push(parseSite(answer));
  }
}

/** One question until its answer is right; null at end of input. */
async function ask(io: Io, question: string, preset: string, mistake: (text: string) => string | undefined) {
  for (;;) {
    const answer = await io.terminal.ask(`${question}${preset === '' ? '' : ` [${preset}]`}: `);
    if (answer === null) return null;
    const text = answer.trim() === '' ? preset : answer.trim();
    const wrong = mistake(text);
    if (wrong === undefined) return text;
    io.terminal.err(`  found ${foundWords(text)}; ${wrong}\n`);
  }
}

const sample: StarterAnswers = {
  vantage: 'here',
  endpoints: [{ name: 'endpoint', url: 'http://127.0.0.1', workload: 'chat' }],
  sites: [],
};

/** The one check of values is the network file's own: a sample file with this value in it has to pass. */
function mistakeIn(answers: StarterAnswers): string | undefined {
  const result = parseNetwork(starterYaml(answers));
  return 'mistakes' in result ? result.mistakes[0]?.message.replace(/^.*?; /, '') : undefined;
}

const nameMistake = (name: string) => mistakeIn({ ...sample, endpoints: [{ ...sample.endpoints[0]!, name }] });
const urlMistake = (url: string) => mistakeIn({ ...sample, endpoints: [{ ...sample.endpoints[0]!, url }] });
const envMistake = (authEnv: string) =>
  authEnv === '' ? undefined : mistakeIn({ ...sample, endpoints: [{ ...sample.endpoints[0]!, authEnv }] });

function siteMistake(text: string, sites: StarterAnswers['sites']): string | undefined {
  try {
    return mistakeIn({ ...sample, sites: [...sites, parseSite(text)] });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
