import { spawnSync } from 'node:child_process';

/** Whether a lab can be had here; `viaUnshare` when it can inside `unshare -rn`, as an ordinary user. */
export type LabAbility = { ok: true } | { ok: false; reason: string; viaUnshare: boolean };

/** Makes a namespace and opens the TUN driver inside, and looks for the two tools that start commands there. */
const TRIAL = 'exec 3<>/dev/net/tun && command -v setpriv >/dev/null && command -v nsenter >/dev/null';

/** Tries it for real in two short-lived child processes (about 5 ms), because rules alone do not tell. */
export function canRunLab(): LabAbility {
  if (process.platform !== 'linux')
    return {
      ok: false,
      reason: `TUN devices in namespaces need Linux, this is ${process.platform}`,
      viaUnshare: false,
    };
  const plain = trial(['-n']);
  if (plain === undefined) return { ok: true };
  const viaUnshare = trial(['-rn']) === undefined;
  const way = viaUnshare
    ? '; it would work inside `unshare -rn`'
    : '; root or user namespaces with /dev/net/tun are needed';
  return { ok: false, reason: `no network namespace with a TUN device here (${plain})${way}`, viaUnshare };
}

/** @returns undefined when it worked, else the tool's own words */
function trial(flags: string[]): string | undefined {
  const result = spawnSync('unshare', [...flags, 'sh', '-c', TRIAL], { encoding: 'utf8', timeout: 5000 });
  if (result.error) return result.error.message;
  if (result.status === 0) return undefined;
  return result.stderr.trim().split('\n', 1)[0] || 'setpriv or nsenter is missing';
}
