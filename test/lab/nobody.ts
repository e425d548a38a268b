/** Words before a command: an ordinary user, who may open no raw socket, but may read this checkout even where it lies in root's home. */
export const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...mayOnly('dac_override')];

function mayOnly(capability: string): string[] {
  const sets = ['inh-caps', 'ambient-caps', 'bounding-set'].map((set) => `--${set}=-all,+${capability}`);
  // Without this bit, access(2) asks without capabilities, and what can be opened seems not to exist.
  return [...sets, '--securebits=+no_setuid_fixup'];
}
