import type { Command } from '../command.ts';
import { completionCommand } from './completion.ts';
import { assess } from './assess.ts';
import { helpCommand } from './help.ts';
import { infer } from './infer.ts';
import { init } from './init.ts';
import { lab } from './lab.ts';
import { reflect } from './reflect.ts';
import { schema } from './schema.ts';
import { version } from './version.ts';

/** Every command, in the order of the help screen. A new command is one file beside this and one line here. */
export const commands: readonly Command[] = [
  assess,
  infer,
  reflect,
  lab,
  init,
  schema,
  completionCommand(() => commands),
  helpCommand(() => commands),
  version,
];
