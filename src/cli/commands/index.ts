import type { Command, LazyCommand } from '../command.ts';

/**
 * Every command, in the order of the help screen. A new command is one file beside this and one line here. Only the one that
 * runs is loaded: the schemas of all of them together take longer to make than a ping.
 */
export const commands: readonly LazyCommand[] = [
  { name: 'assess', load: async () => (await import('./assess.ts')).assess },
  { name: 'infer', load: async () => (await import('./infer.ts')).infer },
  { name: 'mtu', load: async () => (await import('./mtu.ts')).mtu },
  { name: 'ping', load: async () => (await import('./ping.ts')).ping },
  { name: 'import', load: async () => (await import('./import.ts')).importCommand },
  { name: 'trace', load: async () => (await import('./trace.ts')).trace },
  { name: 'stamp', load: async () => (await import('./stamp.ts')).stamp },
  { name: 'responsiveness', load: async () => (await import('./responsiveness.ts')).responsiveness },
  { name: 'throughput', load: async () => (await import('./throughput.ts')).throughput },
  { name: 'capture', load: async () => (await import('./capture.ts')).capture },
  { name: 'plan', load: async () => (await import('./plan.ts')).plan },
  {
    name: 'secure',
    load: async () => (await import('./secure.ts')).secure,
    actions: {
      tls: async () => (await import('../secure/tls.ts')).secureTls,
      exposure: async () => (await import('../secure/exposure.ts')).secureExposure,
      inventory: async () => (await import('../secure/inventory.ts')).secureInventory,
      anomalies: async () => (await import('../secure/anomalies.ts')).secureAnomalies,
    },
  },
  { name: 'up', load: async () => (await import('./up.ts')).up },
  { name: 'serve', load: async () => (await import('./serve.ts')).serve },
  { name: 'agents', load: async () => (await import('./agents.ts')).agents },
  { name: 'token', load: async () => (await import('./token.ts')).token },
  { name: 'admin', load: async () => (await import('./admin.ts')).admin },
  { name: 'agent', load: async () => (await import('./agent.ts')).agent },
  { name: 'store', load: async () => (await import('./store.ts')).storeCommand },
  { name: 'reflect', load: async () => (await import('./reflect.ts')).reflect },
  { name: 'alert', load: async () => (await import('./alert.ts')).alert },
  { name: 'lab', load: async () => (await import('./lab.ts')).lab },
  { name: 'slo', load: async () => (await import('./slo.ts')).slo },
  { name: 'init', load: async () => (await import('./init.ts')).init },
  { name: 'schema', load: async () => (await import('./schema.ts')).schema },
  { name: 'completion', load: async () => (await import('./completion.ts')).completionCommand(loadCommands) },
  { name: 'help', load: async () => (await import('./help.ts')).helpCommand(loadCommands) },
  { name: 'version', load: async () => (await import('./version.ts')).version },
];

/** Commands that this program gives to itself; no help, completion or page names them. */
export const innerCommands: readonly LazyCommand[] = [
  { name: 'emulated-part', load: async () => (await import('../emulated/part.ts')).emulatedPart },
];

/** All of them, for whoever lists or completes them. */
export function loadCommands(): Promise<Command[]> {
  return Promise.all(commands.map((command) => command.load()));
}
