import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

/** Two network namespaces with one link between them (veth), which can be taken down. They are gone with the processes that hold them. */
export interface TwoNetworks {
  /** Words before a command that has to run at that end. */
  at(end: 'server' | 'agent'): string[];
  link(state: 'up' | 'down'): void;
  close(): void;
}

export const serverAddress = '10.99.0.1';

export async function twoNetworks(): Promise<TwoNetworks> {
  const holders = { server: hold(), agent: hold() };
  const pid = (end: 'server' | 'agent') => String(holders[end].pid);
  const at = (end: 'server' | 'agent') => ['nsenter', '-t', pid(end), '-n', '--'];
  await new Promise((done) => setTimeout(done, 300));
  const ends = [
    ['server', `${serverAddress}/30`],
    ['agent', '10.99.0.2/30'],
  ] as const;
  const names = ['type', 'veth', 'peer', 'name', 'to-server', 'netns', pid('agent')];
  sure([...at('server'), 'ip', 'link', 'add', 'to-agent', ...names]);
  for (const [end, address] of ends) {
    const device = end === 'server' ? 'to-agent' : 'to-server';
    sure([...at(end), 'ip', 'address', 'add', address, 'dev', device]);
    for (const one of ['lo', device]) sure([...at(end), 'ip', 'link', 'set', one, 'up']);
  }
  return {
    at,
    // The far end of the agent: what it sends vanishes, as behind a router that has lost its way.
    link: (state) => sure([...at('server'), 'ip', 'link', 'set', 'to-agent', state]),
    close: () => Object.values(holders).forEach((holder) => holder.kill('SIGKILL')),
  };
}

const hold = (): ChildProcess => spawn('unshare', ['-n', 'sleep', '3600'], { stdio: 'ignore' });

function sure([command = '', ...words]: readonly string[]): void {
  const { status, stderr } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
}
