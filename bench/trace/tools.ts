import { z } from 'zod';

/** What a tool said of the paths: addresses, pairs of neighbours, and the probes that it sent where it says so. */
export interface Found {
  addresses: string[];
  pairs: [string, string][];
  probes: number | null;
}

export interface Tool {
  command(address: string): string[];
  read(stdout: string): Found;
}

const PORT = 7041;
const CLI = new URL('../../dist/cli/main.js', import.meta.url).pathname;

const report = z.looseObject({
  graph: z.looseObject({
    probes: z.number(),
    nodes: z.array(z.looseObject({ address: z.string().nullable() })),
    edges: z.array(z.looseObject({ from: z.number(), to: z.number() })),
  }),
});

function ours(protocol: string): Tool {
  return {
    command: (address) => [
      process.execPath,
      CLI,
      'trace',
      `${address}:${PORT}`,
      '--protocol',
      protocol,
      '--count',
      '1',
      '--json',
    ],
    read: (stdout) => {
      const { graph } = report.parse(JSON.parse(stdout));
      const address = (id: number) => graph.nodes[id]?.address ?? '*';
      return {
        addresses: graph.nodes.flatMap((node) => node.address ?? []),
        pairs: graph.edges.map(({ from, to }) => [address(from), address(to)]),
        probes: graph.probes,
      };
    },
  };
}

const tracelb = z.looseObject({
  probec: z.number(),
  nodes: z
    .array(z.looseObject({ addr: z.string(), links: z.array(z.array(z.looseObject({ addr: z.string() }))).optional() }))
    .optional(),
});

/**
 * scamper's MDA. Its links are sets of addresses by hop behind a node: only the first set are neighbours of that node, who of a
 * set is linked to whom of the next is not said, so nothing further can be false.
 */
function scamper(method: string, wait: string[]): Tool {
  return {
    command: (address) => [
      'scamper',
      '-O',
      'json',
      '-o',
      '-',
      '-I',
      ['tracelb -P', method, ...wait, address].join(' '),
    ],
    read: (stdout) => {
      const line = stdout.split('\n').find((one) => one.includes('"type":"tracelb"')) ?? '{"probec":0}';
      const { probec, nodes = [] } = tracelb.parse(JSON.parse(line));
      const links = nodes.flatMap(({ addr, links: sets = [] }) => sets.map((set) => ({ addr, set })));
      return {
        addresses: [...nodes.map(({ addr }) => addr), ...links.flatMap(({ set }) => set.map(({ addr }) => addr))],
        pairs: nodes.flatMap(({ addr, links: sets = [] }) =>
          (sets[0] ?? []).map((to): [string, string] => [addr, to.addr]),
        ),
        probes: probec,
      };
    },
  };
}

const mtrReport = z.looseObject({
  report: z.looseObject({ hubs: z.array(z.looseObject({ host: z.string(), Snt: z.number() })) }),
});

function mtr(...flags: string[]): Tool {
  return {
    command: (address) => ['mtr', '--json', '-n', '-c', '5', '-i', '0.2', ...flags, address],
    read: (stdout) => {
      const { hubs } = mtrReport.parse(JSON.parse(stdout)).report;
      return { ...oneRow(hubs.map(({ host }) => host)), probes: hubs.reduce((sum, { Snt }) => sum + Snt, 0) };
    },
  };
}

function traceroute(...flags: string[]): Tool {
  return {
    command: (address) => ['traceroute', '-n', '-w', '1', ...flags, address],
    read: (stdout) => {
      const hops = stdout.split('\n').flatMap((line) => /^ *\d+ +(\S+)/.exec(line)?.[1] ?? []);
      return { ...oneRow(hops), probes: null };
    },
  };
}

/** A report of one address per hop says that they are neighbours. */
function oneRow(hops: readonly string[]): Pick<Found, 'addresses' | 'pairs'> {
  const isAddress = (text: string) => /[.:]/.test(text) && !text.startsWith('?');
  const pairs = hops.slice(1).map((to, i): [string, string] => [hops[i]!, to]);
  return { addresses: hops.filter(isAddress), pairs: pairs.filter((pair) => pair.every(isAddress)) };
}

/** scamper's udp-sport and tcp methods need an Ethernet device; the lab has none, so it varies destination ports or ICMP. */
export const tools: Record<string, Tool> = {
  'inferpath udp': ours('udp'),
  'inferpath icmp': ours('icmp'),
  'inferpath tcp': ours('tcp'),
  'scamper tracelb udp-dport': scamper('udp-dport', []),
  'scamper tracelb icmp-echo': scamper('icmp-echo', []),
  'scamper tracelb icmp-echo -W 15': scamper('icmp-echo', ['-W', '15']),
  'mtr -u': mtr('-u'),
  'mtr -T': mtr('-T', '-P', String(PORT)),
  'mtr (ICMP)': mtr(),
  'traceroute -q 1': traceroute('-q', '1'),
};
