import type { Command } from '../command.ts';
import { helpCommand } from './help.ts';
import { init } from './init.ts';
import { schema } from './schema.ts';
import { version } from './version.ts';

/** Every command, in the order of the help screen. A new command is one file beside this and one line here. */
export const commands: readonly Command[] = [init, schema, helpCommand(() => commands), version];
