import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sharedData } from '../../test/shared-data.ts';
import { type OpticalCase, readGnpy } from '../../src/plan/optical/from-gnpy/from-gnpy.ts';
import { designedPath, send } from '../../src/plan/optical/lightpath.ts';
import { receive } from '../../src/plan/optical/receive.ts';

/**
 * The same lightpath, designed by each program for itself, sent by GNPy's propagate() and by ours: CPU time side by side, cases interleaved, and the largest
 * difference of any channel. usage: tsx bench/optical/run.ts PYTHON, where PYTHON has oopt-gnpy 2.14.
 */
const cases = [
  ['80 km, 1 amplifier', 'edfa_example_network.json', 'eqpt_config.json', 'Site_A', 'Site_B'],
  ['10 × 80 km', 'line_10x80_96x50.json', 'eqpt_config.json', 'A', 'B'],
  ['mesh, 2 ROADMs', 'meshTopologyExampleV2.json', 'eqpt_config.json', 'trx Brest_KLA', 'trx Lannion_CAS'],
  [
    'Open ROADM 4, 500 km',
    'Sweden_OpenROADMv4_example_network.json',
    'eqpt_config_openroadm_ver4.json',
    'trx_Stockholm',
    'trx_Gothenburg',
  ],
  ['CONUS, 1789 km', 'CORONET_CONUS_Topology.json', 'eqpt_config.json', 'trx New_York', 'trx Chicago'],
  ['CONUS, 6472 km', 'CORONET_CONUS_Topology.json', 'eqpt_config.json', 'trx Seattle', 'trx Miami'],
  [
    '3 × 80 km, SRS, GGN approx',
    'line_3x80_srs_ggn_approx.json',
    'eqpt_config.json',
    'A',
    'B',
    'sim_srs_ggn_approx.json',
  ],
  ['3 × 80 km, SRS, GGN integrated', 'line_3x80_srs_ggn.json', 'eqpt_config.json', 'A', 'B', 'sim_srs_ggn.json'],
  [
    '80 km, 2 Raman pumps, GGN',
    'raman_edfa_example_network.json',
    'eqpt_config.json',
    'Site_A',
    'Site_B',
    'sim_params.json',
  ],
] as const;

const python = process.argv[2];
const folder = sharedData('gnpy/inputs');
if (python === undefined || folder === null)
  throw new Error('needs a Python with oopt-gnpy 2.14, and the reference data beside the project');

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const file = (name: string) => ({ name, text: readFileSync(`${folder}/${name}`, 'utf8') });

/** CPU seconds of each repeat; short cases are sent many times per reading, because the clock of the CPU ticks in microseconds. */
function ours(optical: OpticalCase, path: ReturnType<typeof designedPath>, repeats: number, inner: number): number[] {
  return Array.from({ length: repeats }, () => {
    const began = process.cpuUsage();
    for (let k = 0; k < inner; k++) send(path, optical);
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e6 / inner;
  });
}

console.log(
  '| case | elements | GNPy, ms | inferpath, ms | first time, ms | times faster | largest ΔGSNR, dB |\n|---|---|---|---|---|---|---|',
);
for (const [name, topology, equipment, from, to, simParams] of cases) {
  const slow = simParams !== undefined && !simParams.includes('approx');
  const args = [topology, equipment, from, to, slow ? '2' : '15', ...(simParams === undefined ? [] : [simParams])];
  const paths = args.map((arg, i) => (i < 2 || i === 5 ? `${folder}/${arg}` : arg));
  const script = fileURLToPath(new URL('peer.py', import.meta.url));
  const { stdout, stderr, status } = spawnSync(python, [script, ...paths], { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(stderr);
  const peer = JSON.parse(stdout) as { cpuS: number[]; elements: number; gsnrDb01nm: number[] };
  const reading = readGnpy({
    topology: file(topology),
    equipment: file(equipment),
    simParams: simParams === undefined ? undefined : file(simParams),
    configs: new Map(),
  });
  if (!reading.ok) throw new Error(JSON.stringify(reading.mistakes));
  const path = designedPath(reading.value, from, to);
  const [first] = ours(reading.value, path, 1, 1);
  const inner = slow ? 1 : 50;
  ours(reading.value, path, slow ? 3 : 60, inner);
  const own = median(ours(reading.value, path, slow ? 5 : 15, inner));
  const worst = receive(send(path, reading.value)).reduce(
    (most, c, i) => Math.max(most, Math.abs(c.gsnrDb01nm - peer.gsnrDb01nm[i]!)),
    0,
  );
  const theirs = median(peer.cpuS);
  const cells = [
    name,
    peer.elements,
    (theirs * 1e3).toFixed(2),
    (own * 1e3).toFixed(3),
    (first! * 1e3).toFixed(1),
    (theirs / own).toFixed(0),
    worst.toExponential(0),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
