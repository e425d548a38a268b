// npx tsx bench/engineering/run.ts [rounds] [python] [folder]: least maximum utilisation beside the textbook program, in turn.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { sharedData } from '../../test/shared-data.ts';

const rounds = Number(process.argv[2] ?? 3);
const python = process.argv[3] ?? 'python3';
const folder = process.argv[4] ?? sharedData('planning/repetita');
if (folder === null) throw new Error('The folder of REPETITA files is missing; give it as the third argument');
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const say = (text: string) => void process.stdout.write(`${text}\n`);

interface Run {
  case: string;
  round: number;
  oursCpuS: number;
  ours: number;
  bound: number;
  peerCpuS: number;
  peer: number;
}

const runs: Run[] = [];
for (let round = 0; round < rounds; round++)
  for (const name of ['Abilene', 'Geant2012', 'Cogentco']) {
    const files = [`${folder}/${name}.graph`, `${folder}/${name}.0000.demands`];
    const own = () =>
      JSON.parse(
        execFileSync(process.execPath, ['--import', 'tsx', here('optimum.ts'), ...files], { encoding: 'utf8' }),
      ) as {
        maxUtilisation: number;
        lowerBound: number;
        cpuS: number;
      };
    const other = () =>
      JSON.parse(execFileSync(python, [here('peer.py'), ...files, 'highs-ipm'], { encoding: 'utf8' })) as {
        optimum: number;
        cpuS: number;
      };
    // Who is first turns from round to round.
    const [first, second] = round % 2 === 0 ? [own(), other()] : [undefined, undefined];
    const peer = second ?? other();
    const mine = first ?? own();
    runs.push({
      case: name,
      round,
      oursCpuS: mine.cpuS,
      ours: mine.maxUtilisation,
      bound: mine.lowerBound,
      peerCpuS: peer.cpuS,
      peer: peer.optimum,
    });
    say(
      `${name}: ours ${mine.maxUtilisation} in ${mine.cpuS.toFixed(2)} CPU s, HiGHS ${peer.optimum} in ${peer.cpuS.toFixed(2)} CPU s`,
    );
  }
writeFileSync(
  here('results.json'),
  `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, runs }, null, 2)}\n`,
);
